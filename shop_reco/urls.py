"""The urls of the stand-alone project; a host project includes the parts that it wants."""

from django.urls import include, path

from shop_reco.admin_site import admin_site
from shop_reco.monitoring.health import ready

urlpatterns = [
    path("health/", ready, name="health"),
    path("", include("shop_reco.monitoring.urls")),
    path("admin/", admin_site.urls),
    path("graphql/", include("shop_reco.api.urls")),
    path("events/", include("shop_reco.api.event_urls")),
    path("webhooks/", include("shop_reco.webhooks.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("shop_reco.storefront.urls")),
]
