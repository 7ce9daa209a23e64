from django.apps import AppConfig


class ProductsConfig(AppConfig):
    name = "shop_reco.products"
    label = "reco_products"
    verbose_name = "Products"
    default_auto_field = "django.db.models.BigAutoField"
