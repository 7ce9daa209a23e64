"""What happens by itself at night is on the schedule, under names that workers know."""

from __future__ import annotations

import pytest
from celery import current_app
from django_celery_beat.models import PeriodicTask

from shop_reco.portraits.models import Portrait
from shop_reco.portraits.tasks import fit_segments, fold_events, refresh_dirty
from shop_reco.users.models import Shopper


@pytest.mark.django_db
def test_drawing_folding_and_finding_groups_are_on_the_schedule():
    tasks = set(PeriodicTask.objects.values_list("task", flat=True))
    wanted = {task.name for task in (refresh_dirty, fold_events, fit_segments)}
    assert wanted <= tasks
    assert wanted <= set(current_app.tasks)


def test_a_task_delivered_twice_finds_nothing_left(shop, person):
    assert (refresh_dirty(), refresh_dirty()) == (30, 0)
    assert fold_events() == 0


def test_the_nightly_run_finds_who_moved(shop, person):
    refresh_dirty()
    Shopper.objects.filter(pk=person.pk).update(time_zone="Asia/Tokyo")
    fit_segments()
    assert refresh_dirty() == 1
    assert Portrait.objects.get(shopper=person).time_zone == "Asia/Tokyo"
