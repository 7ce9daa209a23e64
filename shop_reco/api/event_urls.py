"""The address for browsers' events: a host project includes it beside the one of GraphQL."""

from django.urls import path

from .beacon import beacon

app_name = "shop_reco_events"
urlpatterns = [path("beacon/", beacon, name="beacon")]
