"""What can happen to roles."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db import transaction

from .models import Role
from .roles import ROLES
from .selectors import meant

GROUP = "reco_{kind}"
"""Name of a role's group in the database, whatever language staff read; a shop's own "viewer" is another group."""


@transaction.atomic
def ensure_roles() -> None:
    """Have a group for each role, with what the table of roles grants; called after each migration.

    A permission is given once: what the shop added stays, and what it took away or deleted does not come back.
    """
    there = _permissions({name.partition(".")[0] for names in ROLES.values() for name in names})
    for kind, names in ROLES.items():
        role = Role.objects.select_for_update().filter(pk=kind).first() or Role.objects.create(
            kind=kind, group=Group.objects.get_or_create(name=GROUP.format(kind=kind))[0]
        )
        new = {name: there[name] for name in meant(names, there) if name not in role.given}
        if role.group is not None and new:
            role.group.permissions.add(*new.values())
            role.given = sorted([*role.given, *new])
            role.save(update_fields=["given"])


def _permissions(labels: Iterable[str]) -> dict[str, Permission]:
    """By name; made first where the migration of an app has not come to it yet."""
    for config in map(apps.app_configs.get, sorted(labels)):
        if config is not None:
            create_permissions(config, verbosity=0)
    found = Permission.objects.filter(content_type__app_label__in=labels).select_related("content_type")
    return {f"{each.content_type.app_label}.{each.codename}": each for each in found}
