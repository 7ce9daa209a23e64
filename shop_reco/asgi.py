import importlib
import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop_reco.settings.production")
# Products of a list are small: the helpers of BLAS would wait for each other longer than they work.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
importlib.import_module("shop_reco.celery")  # tasks are published through this app, not a default one
application = get_asgi_application()
