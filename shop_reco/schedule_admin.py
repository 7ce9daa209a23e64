"""When things happen by themselves: Celery beat's schedule, which staff edit here."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin as PlainAdmin
from django.db.models import Model
from django_celery_beat.admin import PeriodicTaskAdmin as BeatTaskAdmin
from django_celery_beat.admin import PeriodicTaskForm, TaskSelectWidget
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from .admin_base import BaseAdmin


class ScheduleTaskSelect(UnfoldAdminSelectWidget, TaskSelectWidget):
    """The tasks that the workers know, in this admin's dress."""


class ScheduleForm(PeriodicTaskForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = ScheduleTaskSelect()


class PeriodicTaskAdmin(BeatTaskAdmin, BaseAdmin):
    form = ScheduleForm


class CrontabAdmin(BaseAdmin):
    list_display = ("__str__", "timezone")
    search_fields = ("hour", "minute")


class IntervalAdmin(BaseAdmin):
    list_display = ("every", "period")


ADMINS: dict[type[Model], type[PlainAdmin[Any]]] = {
    PeriodicTask: PeriodicTaskAdmin,
    CrontabSchedule: CrontabAdmin,
    IntervalSchedule: IntervalAdmin,
}
