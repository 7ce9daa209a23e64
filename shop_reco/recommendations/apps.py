from django.apps import AppConfig


class RecommendationsConfig(AppConfig):
    name = "shop_reco.recommendations"
    label = "reco_recommendations"
    verbose_name = "Recommendations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import receivers  # noqa: F401  connects the signals
