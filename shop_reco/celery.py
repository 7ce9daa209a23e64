"""The Celery application of the stand-alone project; a host project brings its own."""

import os

from celery import Celery

from . import folder_broker

folder_broker.use()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop_reco.settings.demo")
app = Celery("shop_reco")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
