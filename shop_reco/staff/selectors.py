"""Questions about what staff may do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import QuerySet

from .models import Role, StaffAction
from .roles import ROLES


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


def meant(names: Iterable[str], there: Iterable[str]) -> set[str]:
    """The permissions that exist of those named; an app that is not installed has none."""
    wanted, apps_ = set(names), {name.removesuffix("*") for name in names if name.endswith(".*")}
    return {name for name in there if name in wanted or name.startswith(tuple(apps_))}


def roles_in_want() -> tuple[set[str], dict[str, set[str]]]:
    """Roles whose group is gone, and by role the permissions that it was never given; two queries.

    What the shop took from a group was given once, and is not among them.
    """
    labels = {name.partition(".")[0] for names in ROLES.values() for name in names}
    found = Permission.objects.filter(content_type__app_label__in=labels).select_related("content_type")
    there = [f"{each.content_type.app_label}.{each.codename}" for each in found]
    roles = {role.kind: role for role in Role.objects.all()}
    lacking: dict[str, set[str]] = {}
    for kind, names in ROLES.items():
        role = roles.get(kind)
        if role is None or role.group_id is not None:
            never = meant(names, there) - set(role.given if role is not None else ())
            lacking |= {str(kind): never} if never else {}
    return {kind for kind, role in roles.items() if role.group_id is None}, lacking


def _names(group: Group) -> set[str]:
    return {f"{each.content_type.app_label}.{each.codename}" for each in group.permissions.all()}
