"""The admin of the plugin: a site of its own, so that a host's admin stays as it was."""

from importlib import import_module

from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite


class RecoAdminSite(UnfoldAdminSite):
    site_header = _("Recommendations")
    site_title = _("Recommendations")


admin_site = RecoAdminSite(name="admin")
for app in ("users", "products", "events", "portraits", "recommendations", "privacy"):
    for model, model_admin in import_module(f"shop_reco.{app}.admin").ADMINS.items():
        admin_site.register(model, model_admin)
