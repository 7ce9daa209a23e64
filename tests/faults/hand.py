"""Run as a script: does in the shop what it is told, an expression a line, so that not each starts a process."""

from __future__ import annotations

import datetime as dt
import json
import sys
from types import SimpleNamespace

import django

django.setup()

from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402
from django_celery_beat.models import IntervalSchedule, PeriodicTask  # noqa: E402

from shop_reco.celery import app  # noqa: E402
from shop_reco.events.models import Event  # noqa: E402
from shop_reco.events.selectors import newest_visits  # noqa: E402
from shop_reco.events.services import mark_shoppers  # noqa: E402
from shop_reco.portraits.folding import fold_events  # noqa: E402
from shop_reco.portraits.services import refresh_dirty  # noqa: E402
from shop_reco.products.models import Product  # noqa: E402
from shop_reco.recommendations import services  # noqa: E402
from shop_reco.recommendations.models import ModelVersion, TrainingRun  # noqa: E402
from shop_reco.recommendations.training import fitting, work_off  # noqa: E402
from shop_reco.users.models import Shopper  # noqa: E402


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


def redraw() -> int:
    """Draw every portrait anew; returns how many."""
    mark_shoppers(shopper_ids=list(Shopper.objects.values_list("pk", flat=True)))
    done = 0
    while drawn := refresh_dirty():
        done += drawn
    return done


def fitted(kind: str, second: float) -> str:
    """Train as of a moment; returns the hash of the new version's manifest, which names that of each file."""
    moment = dt.datetime.fromtimestamp(second, dt.UTC)
    fitting.timezone = SimpleNamespace(now=lambda: moment)  # type: ignore[assignment]
    run = services.request_training(kind=kind)
    work_off()
    run.refresh_from_db()
    assert run.state == TrainingRun.State.DONE, f"{run.state}: {run.why}"
    return str(ModelVersion.objects.get(run=run).manifest_sha256)


def newest(external_id: str) -> str:
    """The newest event of a shopper, in the order in which recommenders read them."""
    shopper = Shopper.objects.get(external_id=external_id)
    return str(newest_visits(shopper_ids=[shopper.pk], limit=1)[0][0])


NAMES = {
    "Event": Event,
    "ModelVersion": ModelVersion,
    "Product": Product,
    "TrainingRun": TrainingRun,
    "every": every,
    "execute": execute,
    "fitted": fitted,
    "fold_events": fold_events,
    "newest": newest,
    "redraw": redraw,
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
