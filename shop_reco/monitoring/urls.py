"""Included at the root: probes and Prometheus look for these very paths."""

from django.urls import path

from .health import live, ready
from .metrics import metrics

app_name = "shop_reco_monitoring"
urlpatterns = [
    path("health/live", live, name="live"),
    path("health/ready", ready, name="ready"),
    path("metrics", metrics, name="metrics"),
]
