"""Rows that must be there after each migration: the groups of the roles."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from .services import ensure_roles


@receiver(post_migrate, sender=apps.get_app_config("reco_staff"))
def on_migrated(**kwargs: Any) -> None:
    ensure_roles()
