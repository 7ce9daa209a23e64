from django.apps import AppConfig


class PortraitsConfig(AppConfig):
    name = "shop_reco.portraits"
    label = "reco_portraits"
    verbose_name = "Portraits"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import receivers  # noqa: F401  connects the signals
