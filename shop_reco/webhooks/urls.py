from django.urls import path

from .views import webhook

app_name = "shop_reco_webhooks"
urlpatterns = [path("<slug:key>/", webhook, name="webhook")]
