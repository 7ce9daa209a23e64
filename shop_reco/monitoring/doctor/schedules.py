"""Is a training scheduled, did the last ones end well, and does beat publish what is due?"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.apps import apps
from django.db.models import Max
from django.utils import timezone

from shop_reco.recommendations.models import TrainingRun
from shop_reco.recommendations.selectors import enabled_kinds

from ..selectors import last_published
from .findings import Finding, failing, ok, skipped, warning

TRAINING = "shop_reco.recommendations.tasks.train_all"
LATE = dt.timedelta(minutes=10)
"""Without a task for so long beat has stopped: some are due each minute, and it notes their times every three."""
OLD = dt.timedelta(days=3)
"""Without a training that ended well for so long, lists know nothing new of the shop."""
ELSEWHERE = "django_celery_beat is not installed: whatever calls the tasks here is not known"


def retraining_is_scheduled() -> Finding:
    tasks = _tasks()
    if tasks is None:
        return skipped(ELSEWHERE)
    task = tasks.filter(task=TRAINING, enabled=True).first()
    if task is None:
        return failing(
            "no training of all recommenders is scheduled",
            'Switch on "Train all recommenders" among the periodic tasks; migrate makes one that was deleted.',
        )
    return ok(f"{task.name}: {task.crontab or task.interval or 'once'}, last at {_told(task.last_run_at)}")


def trainings_end_well() -> Finding:
    """Of each recommender that is on, the last run that ended did not fail, and one did well lately."""
    ended = TrainingRun.objects.filter(recommender__in=enabled_kinds(), finished_at__isnull=False)
    last = {run.recommender_id: run.state for run in ended.only("recommender", "state").order_by("finished_at", "pk")}
    if not last:
        return warning("none has ended yet", "Train: celery -A shop_reco call " + TRAINING)
    failed = sorted(kind for kind, state in last.items() if state == TrainingRun.State.FAILED)
    if failed:
        return failing(
            f"the last one failed: {', '.join(failed)}", "The admin's training runs say why; mend that, and train anew."
        )
    done = ended.filter(state=TrainingRun.State.DONE).aggregate(last=Max("finished_at"))["last"]
    found = f"the last one that ended well did so at {_told(done)}"
    if done is None or timezone.now() - done > OLD:
        return warning(found, "See that worker and beat run, and what the schedule says.")
    return ok(found)


def beat_ticks() -> Finding:
    if _tasks() is None:
        return skipped(ELSEWHERE)
    last = last_published()
    found = f"a task was last published at {_told(last)}"
    if last is None or timezone.now() - last > LATE:
        return failing(
            found, "Start one, and one alone: celery -A shop_reco beat (in a project of your own, its name)."
        )
    return ok(found)


def _tasks() -> Any:
    if not apps.is_installed("django_celery_beat"):
        return None
    return apps.get_model("django_celery_beat.PeriodicTask")._default_manager


def _told(moment: dt.datetime | None) -> str:
    return "no time yet" if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"
