from django.urls import path

from .downloads import export, receipt, receipt_key
from .views import graphql

app_name = "shop_reco_api"
urlpatterns = [
    path("", graphql, name="graphql"),
    path("exports/<str:token>/", export, name="export"),
    path("receipts/<uuid:public_id>/", receipt, name="receipt"),
    path("receipt-key/", receipt_key, name="receipt-key"),
]
