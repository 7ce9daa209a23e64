from django.apps import AppConfig
from django.db.models.signals import post_delete, post_migrate
from django.utils.translation import gettext_lazy as _


class WebhooksConfig(AppConfig):
    name = "shop_reco.webhooks"
    label = "reco_webhooks"
    verbose_name = _("Webhooks")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import receivers

        post_migrate.connect(receivers.ensure_schedule, sender=self)
        post_delete.connect(receivers.on_shopper_deleted, sender="reco_users.Shopper")
        receivers.connect()
