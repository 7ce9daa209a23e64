"""What staff do to chosen rows and cannot undo: it asks first, shows what it touches, and has its own permission."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from .pages import show_to

FINAL: Mapping[str, str] = {
    "reco_users.shopperlink.undo": "reco_staff.part_shoppers",
    "reco_users.apikey.revoke": "reco_staff.revoke_keys",
    "reco_events.rejectedevent.replay": "reco_staff.replay_reports",
    "reco_webhooks.webhookdelivery.replay": "reco_staff.replay_reports",
    "reco_webhooks.webhooksource.make_new_secret": "reco_staff.renew_secrets",
    "reco_webhooks.webhooksource.end_previous": "reco_staff.renew_secrets",
    "reco_recommendations.trainingrun.cancel": "reco_staff.cancel_trainings",
    "django_celery_beat.periodictask.run_tasks": "reco_staff.run_schedule",
}
"""By model and action, what permission it needs beside the page's; ``delete_selected`` asks by itself."""
SHOWN = 20
"""Rows of the preview."""


def may_do(user: Any, action: str) -> bool:
    return action not in FINAL or bool(user.has_perm(FINAL[action]))


def question(admin: Any, request: HttpRequest, queryset: QuerySet[Any], *, name: str, label: str) -> Any:
    """The page that asks before a final action, with how many rows it touches and the first of them.

    None once that was answered; where there are more or fewer rows by then, it is asked again.
    """
    if f"{admin.model._meta.label_lower}.{name}" not in FINAL:
        return None
    n, answered = queryset.count(), request.POST.get("confirmed")
    if answered == str(n):
        return None
    rows = list(queryset[:SHOWN])
    show_to(request.user, rows)
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Are you sure?"),
        "action": name,
        "label": label % {"verbose_name_plural": admin.model._meta.verbose_name_plural},
        "n": n,
        "rows": rows,
        "more": n - len(rows),
        "changed": answered is not None,
        "selected": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "checkbox": ACTION_CHECKBOX_NAME,
        "select_across": request.POST.get("select_across", "0"),
        "here": request.get_full_path(),
        "opts": admin.model._meta,
    }
    return TemplateResponse(request, "shop_reco/admin/confirm_action.html", context)
