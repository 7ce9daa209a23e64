"""Rows that must be there after each migration, the schedule among them, and who leaves the counts of answers."""

from __future__ import annotations

from typing import Any

from celery.signals import before_task_publish
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS
from django.db.models.signals import post_delete, post_migrate, post_save
from django.dispatch import receiver
from django.utils import timezone

from shop_reco.conf import CACHE_TABLE
from shop_reco.users.signals import shoppers_changed

from . import services
from .models import Placement, Rule
from .tasks import PUBLISHED


@receiver(post_migrate, sender=apps.get_app_config("reco_recommendations"))
def on_migrated(using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    services.ensure_recommenders()
    if any(cache.get("LOCATION") == CACHE_TABLE for cache in settings.CACHES.values()):
        call_command("createcachetable", CACHE_TABLE, verbosity=0, database=using)
    if apps.is_installed("django_celery_beat"):
        ensure_schedule()


@before_task_publish.connect
def on_publish(headers: dict[str, Any] | None = None, **kwargs: Any) -> None:
    """Stamp what a schedule publishes with its minute."""
    if headers is not None and headers.get("periodic_task_name"):
        headers.setdefault(PUBLISHED, f"{timezone.now():%Y-%m-%dT%H:%M}")


@receiver(shoppers_changed)
def on_shoppers_changed(shopper_ids: list[int], **kwargs: Any) -> None:
    services.forget_withdrawn(shopper_ids=shopper_ids)


@receiver([post_save, post_delete], sender=Rule)
@receiver([post_save, post_delete], sender=Placement)
def on_wish_changed(**kwargs: Any) -> None:
    """Whoever writes a rule or a placement: every process hears of it, in the same transaction."""
    if not kwargs.get("raw"):
        services.bump_serving_revision()


def ensure_schedule() -> None:
    """Have the schedule in the database, where staff edit it; what they changed stays."""
    from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

    nightly, _ = CrontabSchedule.objects.get_or_create(minute="30", hour="3", timezone="UTC")
    hourly, _ = CrontabSchedule.objects.get_or_create(minute="7", hour="*", timezone="UTC")
    quarterly, _ = CrontabSchedule.objects.get_or_create(minute="*/15", hour="*", timezone="UTC")
    often, _ = IntervalSchedule.objects.get_or_create(every=5, period=IntervalSchedule.SECONDS)
    minutely, _ = IntervalSchedule.objects.get_or_create(every=60, period=IntervalSchedule.SECONDS)
    now_and_then, _ = IntervalSchedule.objects.get_or_create(every=600, period=IntervalSchedule.SECONDS)
    for name, task, clock in (
        ("Train all recommenders", "recommendations.tasks.train_all", {"crontab": nightly}),
        ("Bring counts up to date", "recommendations.tasks.update_counts", {"crontab": hourly}),
        ("Bring content up to date", "recommendations.tasks.update_content", {"crontab": quarterly}),
        ("Forget who was erased, prune versions", "recommendations.tasks.unlearn", {"crontab": hourly}),
        ("Trim old slates", "recommendations.tasks.trim_slates", {"crontab": nightly}),
        ("Sweep training runs", "recommendations.tasks.sweep_runs", {"interval": often}),
        ("Count clicks and purchases", "recommendations.tasks.roll_up_answers", {"interval": now_and_then}),
        ("Draw portraits with news", "portraits.tasks.refresh_dirty", {"interval": minutely}),
        ("Fold old events", "portraits.tasks.fold_events", {"crontab": nightly}),
        ("Find groups of shoppers", "portraits.tasks.fit_segments", {"crontab": nightly}),
    ):
        PeriodicTask.objects.get_or_create(name=name, defaults={"task": f"shop_reco.{task}", **clock})
