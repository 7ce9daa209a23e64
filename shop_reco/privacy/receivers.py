"""News of the apps below, and the rows of the schedule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from django.apps import apps
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from shop_reco import hints
from shop_reco.recommendations.signals import versions_gone
from shop_reco.users.signals import shoppers_named

from . import receipts, selectors
from .signals import export_waits, sessions_wait
from .tasks import build_exports, sweep_sessions


@receiver(shoppers_named)
def on_shoppers_named(*, external_ids: Collection[str], **kwargs: Any) -> dict[str, dt.datetime]:
    return selectors.erased(external_ids=external_ids)


@receiver(export_waits)
def on_export_waits(**kwargs: Any) -> None:
    hints.offer(build_exports)


@receiver(sessions_wait)
def on_sessions_wait(**kwargs: Any) -> None:
    hints.offer(sweep_sessions)


@receiver(versions_gone)
def on_versions_gone(*, gone: Collection[str], clean: Mapping[str, str], **kwargs: Any) -> None:
    receipts.note_versions_gone(gone=gone, clean=clean)


@receiver(post_migrate, sender=apps.get_app_config("reco_privacy"))
def on_migrated(**kwargs: Any) -> None:
    """Have the schedule in the database, where staff edit it; what they changed stays."""
    if not apps.is_installed("django_celery_beat"):
        return
    from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

    nightly, _ = CrontabSchedule.objects.get_or_create(minute="45", hour="3", timezone="UTC")
    minutely, _ = IntervalSchedule.objects.get_or_create(every=60, period=IntervalSchedule.SECONDS)
    for name, task, clock in (
        ("Make exports that wait", "build_exports", {"interval": minutely}),
        ("Clear the sessions of who was erased", "sweep_sessions", {"interval": minutely}),
        ("Delete what was kept long enough", "trim", {"crontab": nightly}),
    ):
        PeriodicTask.objects.get_or_create(name=name, defaults={"task": f"shop_reco.privacy.tasks.{task}", **clock})
