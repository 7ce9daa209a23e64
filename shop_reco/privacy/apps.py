from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PrivacyConfig(AppConfig):
    name = "shop_reco.privacy"
    label = "reco_privacy"
    verbose_name = _("Privacy")
    default_auto_field = "django.db.models.BigAutoField"

    personal = {"export": ("shopper",)}
    """Tables with rows of a shopper, and the lookups that lead to whose they are."""

    def ready(self) -> None:
        from . import receivers  # noqa: F401  connects the signals
