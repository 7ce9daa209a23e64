"""One member of the staff for each role, a clock, and the pages of the admin as its registry lists them."""

from __future__ import annotations

import datetime as dt
import time
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from shop_reco.admin_site import admin_site
from shop_reco.staff import attempts
from shop_reco.staff.models import Role

STANDARD = {"changelist", "add", "history", "delete", "change"}


def address(model, page, *args):
    return reverse(f"{admin_site.name}:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def own_pages():
    """The pages that models have beside Django's: their names, with the models."""
    found = {}
    for model, model_admin in admin_site._registry.items():
        prefix = f"{model._meta.app_label}_{model._meta.model_name}_"
        for pattern in model_admin.get_urls():
            name = (pattern.name or "").removeprefix(prefix)
            if name and name not in STANDARD:
                found[f"{model._meta.label_lower}.{name}"] = model
    return found


@pytest.fixture
def team(db):
    """Role to a signed-in client, with the user."""

    def member(kind):
        user = User.objects.create_user(f"the {kind}", is_staff=True)
        user.groups.add(Role.objects.get(pk=kind).group)
        client = Client()
        client.force_login(user)
        return SimpleNamespace(user=user, client=client)

    return {kind: member(kind) for kind in Role.Kind.values}


@pytest.fixture
def clock(monkeypatch):
    """Time stands still until a test moves it, for the codes and for the waits."""

    class Clock:
        now = timezone.now()

        def go(self, **delta):
            self.now += dt.timedelta(**delta)

        def time(self):
            return self.now.timestamp()

    held = Clock()
    monkeypatch.setattr(attempts.timezone, "now", lambda: held.now)
    monkeypatch.setattr(time, "time", held.time)
    return held
