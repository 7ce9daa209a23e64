from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "shop_reco.api"
    label = "reco_api"
    verbose_name = "Api"
    default_auto_field = "django.db.models.BigAutoField"
