"""Rows that must be there after each migration: what shoppers read before they decide."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from .statements import ensure_statements


@receiver(post_migrate, sender=apps.get_app_config("reco_users"))
def on_migrated(**kwargs: Any) -> None:
    ensure_statements()
