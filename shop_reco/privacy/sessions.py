"""What Django's sessions hold of a shopper: the cart, and whom a demonstration shops as."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module

from django.apps import apps
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

PREFIX = "reco_"
"""Every key of ours in a session begins so."""


def forget_in(session: SessionBase) -> bool:
    """Take all that is ours out of a session; whoever is signed in stays so. Returns whether there was anything."""
    ours = [name for name in list(session.keys()) if name.startswith(PREFIX)]
    for name in ours:
        del session[name]
    return bool(ours)


def forget_in_sessions(*, user_ids: Collection[int], names: Collection[str]) -> int:
    """Clear the stored sessions of these accounts, and those that shop as one of these names; returns how many.

    Reads every session in force, in chunks. Sessions kept in a cache or in cookies cannot be searched; they end
    with the account's next sign-in.
    """
    if not apps.is_installed("django.contrib.sessions") or not (user_ids or names):
        return 0
    store = import_module(settings.SESSION_ENGINE).SessionStore
    if not hasattr(store, "get_model_class"):
        return 0
    wanted, cleared = {str(pk) for pk in user_ids}, 0
    rows = store.get_model_class().objects.filter(expire_date__gt=timezone.now())
    for row in rows.iterator(chunk_size=1000):
        content = row.get_decoded()
        theirs = str(content.get(SESSION_KEY)) in wanted or content.get("reco_shop_as") in names
        if theirs and any(name.startswith(PREFIX) for name in content):
            session = store(session_key=row.session_key)
            cleared += forget_in(session)
            session.save()
    return cleared
