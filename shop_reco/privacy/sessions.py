"""What Django's sessions hold of a shopper: the cart, and whom a demonstration shops as."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from importlib import import_module
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from shop_reco.conf import reco_settings
from shop_reco.users.selectors import digest_of, digests_of

from .models import ErasureReceipt, SessionSweep
from .receipts import note_sessions
from .signals import sessions_wait

PREFIX = "reco_"
"""Every key of ours in a session begins so."""
LEASE = dt.timedelta(minutes=5)
"""After which a sweep that went no further counts as given up."""
CHUNK = 500
"""Sessions that are read, and cleared in one transaction."""


def forget_in(session: SessionBase) -> bool:
    """Take all that is ours out of a session; whoever is signed in stays so. Returns whether there was anything."""
    ours = [name for name in list(session.keys()) if name.startswith(PREFIX)]
    for name in ours:
        del session[name]
    return bool(ours)


def ask_sweep(*, receipt: ErasureReceipt, user_ids: Collection[int], names: Collection[str]) -> bool:
    """Have the stored sessions of these accounts cleared, and those that shop as one of these names.

    In the caller's transaction; the work begins when that is committed. Returns whether there is anything to clear:
    sessions kept in a cache or in cookies cannot be searched, and end with the account's next sign-in.
    """
    if not (user_ids or names) or _store() is None:
        return False
    marks = [digest_of(_of_user(pk)) for pk in user_ids] + [digest_of(_of_name(name)) for name in names]
    sweep = SessionSweep.objects.create(receipt=receipt, marks=sorted(marks))
    transaction.on_commit(lambda: _begin(sweep), robust=True)
    return True


def _begin(sweep: SessionSweep) -> None:
    """Clear few sessions now; many are a worker's."""
    most = reco_settings().SESSIONS_NOW
    if len(_in_force().values_list("pk")[: most + 1]) > most:
        sessions_wait.send_robust(SessionSweep)
    else:
        sweep_sessions(sweep=sweep)


def sweep_waiting() -> int:
    """Finish every sweep that waits, or that was given up half way; returns how many."""
    waiting = SessionSweep.objects.filter(_free()).order_by("pk")
    return sum(sweep_sessions(sweep=sweep) for sweep in waiting.iterator(chunk_size=20))


def sweep_sessions(*, sweep: SessionSweep) -> bool:
    """Read every session in force, in chunks, and clear those that were asked for; returns whether it ended here.

    A chunk's sessions and their count are committed together: one that is given up is begun again from the start,
    and counts no session twice.
    """
    mine = timezone.now()
    if not SessionSweep.objects.filter(_free(), pk=sweep.pk).update(started_at=mine):
        return False
    for rows in _chunks():
        with transaction.atomic():
            held = SessionSweep.objects.select_for_update().filter(pk=sweep.pk, started_at=mine)
            if held.first() is None:  # taken over by another worker, who thought this one dead
                return False
            cleared, mine = sum(_clear(row, set(sweep.marks)) for row in rows), timezone.now()
            SessionSweep.objects.filter(pk=sweep.pk).update(cleared=F("cleared") + cleared, started_at=mine)
    with transaction.atomic():
        done = SessionSweep.objects.select_for_update().filter(pk=sweep.pk, started_at=mine).first()
        if done is not None:
            note_sessions(receipt=done.receipt, cleared=done.cleared)
            done.delete()
    return done is not None


def _free() -> Q:
    return Q(started_at__isnull=True) | Q(started_at__lt=timezone.now() - LEASE)


def _chunks() -> Iterator[list[Any]]:
    """The sessions in force, by key."""
    last = ""
    while rows := list(_in_force().filter(session_key__gt=last).order_by("session_key")[:CHUNK]):
        last = rows[-1].session_key
        yield rows


def _clear(row: Any, marks: Collection[str]) -> bool:
    content = row.get_decoded()
    if not any(name.startswith(PREFIX) for name in content):
        return False
    theirs = [_of_user(content.get(SESSION_KEY)), _of_name(content.get("reco_shop_as"))]
    if not any(digest in marks for each in theirs for digest in digests_of(each)):
        return False
    session = _store()(session_key=row.session_key)
    cleared = forget_in(session)
    session.save()
    return cleared


def _store() -> Any:
    """The class of stored sessions; None where sessions are kept in no table."""
    if not apps.is_installed("django.contrib.sessions"):
        return None
    store = import_module(settings.SESSION_ENGINE).SessionStore
    return store if hasattr(store, "get_model_class") else None


def _in_force() -> Any:
    return _store().get_model_class().objects.filter(expire_date__gt=timezone.now())


def _of_user(pk: object) -> str:
    return f"session of user {pk}"


def _of_name(name: object) -> str:
    return f"session as {name}"
