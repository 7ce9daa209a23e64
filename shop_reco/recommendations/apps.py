from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RecommendationsConfig(AppConfig):
    name = "shop_reco.recommendations"
    label = "reco_recommendations"
    verbose_name = _("Recommendations")
    default_auto_field = "django.db.models.BigAutoField"

    personal = {
        "cleaningexample": ("shopper",),
        "feedback": ("shopper",),
        "slate": ("shopper",),
        "shopperanswers": ("shopper",),
        "verdict": ("feedback__shopper",),
    }
    """Tables with rows of a shopper, and the lookups that lead to whose they are."""

    def ready(self) -> None:
        from . import engine, receivers  # noqa: F401  registers the check, connects the signals
