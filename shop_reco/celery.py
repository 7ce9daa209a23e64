"""The Celery application of the stand-alone project; a host project brings its own."""

import os

from celery import Celery, Task

from . import folder_broker


class PromptTask(Task):
    """Tried again soon after its worker was lost, and three times in all."""

    default_retry_delay = 2
    max_retries = 2


folder_broker.use()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop_reco.settings.production")
app = Celery("shop_reco", task_cls=PromptTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
