"""When things happen by themselves: Celery beat's schedule, which staff edit here."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin as PlainAdmin
from django.db.models import Model
from django.utils.translation import gettext_lazy as _
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
    help_texts = {
        "name": _("What staff call it; no two entries of the schedule have the same name."),
        "regtask": _("What is to be done, of all that the workers know."),
        "task": _("The same by its dotted name. Empty: what is chosen above is done."),
        "description": _("What it is for, for whoever reads the schedule. Empty: the name says it all."),
    }


class CrontabAdmin(BaseAdmin):
    list_display = ("__str__", "timezone")
    search_fields = ("hour", "minute")
    help_texts = {
        "month_of_year": _('Months from 1 to 12, as in "1,12"; "*" is each of them.'),
        "day_of_week": _('Days from 0, a Sunday, to 6, as in "0,5"; "*" is each of them.'),
    }


class IntervalAdmin(BaseAdmin):
    list_display = ("every", "period")


ADMINS: dict[type[Model], type[PlainAdmin[Any]]] = {
    PeriodicTask: PeriodicTaskAdmin,
    CrontabSchedule: CrontabAdmin,
    IntervalSchedule: IntervalAdmin,
}
