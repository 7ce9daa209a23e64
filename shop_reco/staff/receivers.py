"""The groups of the roles, which must be there after each migration, and when somebody of the staff signed in."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django.http import HttpRequest

from .reauthentication import note_password
from .second_factor import UNCONFIRMED
from .services import ensure_roles


@receiver(post_migrate, sender=apps.get_app_config("reco_staff"))
def on_migrated(**kwargs: Any) -> None:
    ensure_roles()


@receiver(user_logged_in)
def on_login(*, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """By whatever way they came: a host's single sign-on proves as much as a password does."""
    if user.is_staff:
        note_password(request)
        request.session.pop(UNCONFIRMED, None)
