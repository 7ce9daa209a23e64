from django.apps import AppConfig


class StorefrontConfig(AppConfig):
    name = "shop_reco.storefront"
    label = "reco_storefront"
    verbose_name = "Storefront"
    default_auto_field = "django.db.models.BigAutoField"
