"""Questions about what staff may do."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import QuerySet

from .models import StaffAction


def actions_before(moment: dt.datetime) -> QuerySet[StaffAction]:
    """What staff did before a moment; for retention alone, since these rows can be deleted as no others can."""
    return QuerySet(StaffAction).filter(at__lt=moment)


def role_name(group: Group) -> str:
    """What people call a group: the name of its role, else its own."""
    role = getattr(group, "reco_role", None)
    return str(role) if role is not None else group.name


def may_do_as_much(user: Any, other: Any) -> bool:
    """Whether ``user`` may do all that ``other`` may, so that acting as them is no rise; four queries at most."""
    if user.is_superuser:
        return True
    return not other.is_superuser and other.get_all_permissions() <= user.get_all_permissions()


def groups_to_give(user: Any) -> QuerySet[Group]:
    """The groups that may do no more than ``user``, with their roles; three queries when it is read."""
    groups = Group.objects.select_related("reco_role").order_by("name")
    if user.is_superuser:
        return groups
    mine = user.get_all_permissions()
    held = groups.prefetch_related("permissions__content_type")
    return groups.filter(pk__in=[each.pk for each in held if _names(each) <= mine])


def _names(group: Group) -> set[str]:
    return {f"{each.content_type.app_label}.{each.codename}" for each in group.permissions.all()}
