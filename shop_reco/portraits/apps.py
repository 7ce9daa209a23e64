from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PortraitsConfig(AppConfig):
    name = "shop_reco.portraits"
    label = "reco_portraits"
    verbose_name = _("Portraits")
    default_auto_field = "django.db.models.BigAutoField"

    personal = {"portrait": ("shopper",), "portraitedit": ("shopper",), "foldedday": ("shopper",)}
    """Tables with rows of a shopper, and the lookups that lead to whose they are."""

    def ready(self) -> None:
        from . import receivers  # noqa: F401  connects the signals
