from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ShopRecoConfig(AppConfig):
    """The plugin itself: carries the templates and says at start when a setting is wrong."""

    name = "shop_reco"
    label = "reco"
    verbose_name = _("Shop recommendations")

    def ready(self) -> None:
        from . import checks, spare_memory, task_lines  # noqa: F401  registers the checks, connects the signals
