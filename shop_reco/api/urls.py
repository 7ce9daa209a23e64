from django.urls import path

from .views import graphql

app_name = "shop_reco_api"
urlpatterns = [path("", graphql, name="graphql")]
