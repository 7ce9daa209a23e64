"""Run as a script: does in the shop what it is told, an expression a line, so that not each starts a process."""

from __future__ import annotations

import json
import sys

import django

django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402
from django_celery_beat.models import IntervalSchedule, PeriodicTask  # noqa: E402

from shop_reco.celery import app  # noqa: E402
from shop_reco.events.models import Event  # noqa: E402
from shop_reco.products.models import Product  # noqa: E402
from shop_reco.recommendations import services  # noqa: E402
from shop_reco.recommendations.models import ModelVersion, TrainingRun  # noqa: E402
from shop_reco.recommendations.training import work_off  # noqa: E402


def execute(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return int(cursor.rowcount)


def every(name: str, seconds: int) -> None:
    """Change how often a task of the schedule is published."""
    clock, _ = IntervalSchedule.objects.get_or_create(every=seconds, period=IntervalSchedule.SECONDS)
    task = PeriodicTask.objects.get(name=name)
    task.crontab, task.interval = None, clock
    task.save()


NAMES = {
    "Event": Event,
    "ModelVersion": ModelVersion,
    "Product": Product,
    "TrainingRun": TrainingRun,
    "every": every,
    "execute": execute,
    "send": app.send_task,
    "services": services,
    "timezone": timezone,
    "work_off": work_off,
}


def main() -> None:
    for line in sys.stdin:
        connection.close()  # the server may have been restarted since
        try:
            told = {"value": eval(json.loads(line), {**NAMES})}
        except Exception as error:
            told = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(told, default=str), flush=True)


main()
