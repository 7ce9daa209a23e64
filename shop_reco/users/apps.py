from django.apps import AppConfig


class UsersConfig(AppConfig):
    name = "shop_reco.users"
    label = "reco_users"
    verbose_name = "Users"
    default_auto_field = "django.db.models.BigAutoField"
