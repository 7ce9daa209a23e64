from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EventsConfig(AppConfig):
    name = "shop_reco.events"
    label = "reco_events"
    verbose_name = _("Events")
    default_auto_field = "django.db.models.BigAutoField"

    personal = {
        "event": ("shopper",),
        "rejectedevent": ("shopper",),
        "dirtyshopper": ("shopper",),
        "shopperflag": ("shopper",),
    }
    """Tables with rows of a shopper, and the lookups that lead to whose they are."""

    def ready(self) -> None:
        from . import receivers  # noqa: F401  connects the signals
