from django.apps import AppConfig


class PrivacyConfig(AppConfig):
    name = "shop_reco.privacy"
    label = "reco_privacy"
    verbose_name = "Privacy"
    default_auto_field = "django.db.models.BigAutoField"
