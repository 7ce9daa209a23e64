"""The urls of the stand-alone project; a host project includes the parts that it wants."""

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import include, path

from shop_reco.admin_site import admin_site


def health(request: HttpRequest) -> JsonResponse:
    """200 when the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})


urlpatterns = [
    path("health/", health, name="health"),
    path("admin/", admin_site.urls),
    path("graphql/", include("shop_reco.api.urls")),
    path("events/", include("shop_reco.api.event_urls")),
    path("webhooks/", include("shop_reco.webhooks.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include("shop_reco.storefront.urls")),
]
