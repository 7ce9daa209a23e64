from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UsersConfig(AppConfig):
    name = "shop_reco.users"
    label = "reco_users"
    verbose_name = _("Users")
    default_auto_field = "django.db.models.BigAutoField"

    personal = {
        "shopperlink": ("visitor", "account"),
        "consent": ("shopper",),
        "visitortoken": ("shopper",),
        "staffread": ("shopper",),
    }
    """Tables with rows of a shopper, and the lookups that lead to whose they are: what an export and an erasure ask."""

    def ready(self) -> None:
        from . import receivers  # noqa: F401  connects the signals
