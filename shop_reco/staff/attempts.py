"""How attempts to sign in are slowed down, over all processes: by the account named, and by the address.

The first failures are free. After them each attempt has to wait longer, and one that comes too early is refused
unread and not counted, so that refusals do not add up. Who owns the account is never kept out for longer than
LONGEST, however others hammer at it: a browser that signed in to it before has a count of its own, and after
LONGEST any address that is not slowed down itself may try.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from .models import FailedSignIns

FREE = 5
"""Failures before which nobody waits."""
FIRST = dt.timedelta(seconds=15)
"""The first wait; each further failure doubles it."""
LONGEST = dt.timedelta(minutes=15)
"""The longest one."""
FORGOTTEN = dt.timedelta(hours=1)
"""Time without an attempt after which failures count no more."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that may be made, counted as failed until it succeeds.

    Attributes:
        own: Digests that a success clears: of the account, or of a browser that is known.
        address: Digest of where it came from; empty for a browser that is known.
        failures: The most that stand against any of them, this one included.
    """

    own: str
    address: str
    failures: int


def digest_of(kind: str, name: str) -> str:
    """The keyed hash under which an account, an address or a browser is counted."""
    return salted_hmac(f"shop_reco.sign_in.{kind}", name.casefold(), algorithm="sha256").hexdigest()


@transaction.atomic
def begin_attempt(*, account: str, address: str, browser: str = "") -> Attempt | None:
    """Count an attempt; None if it comes too early, and must be refused unread.

    Counted before the password is looked at: many at once get no more tries than one after the other.

    Args:
        account: The name as it was typed.
        address: Where the request comes from.
        browser: What tells a browser from others that signed in to this account before; empty for one that did not.
    """
    own = digest_of("browser", browser) if browser else digest_of("account", account)
    place = "" if browser else digest_of("address", address)
    digests, now = [each for each in (own, place) if each], timezone.now()
    rows = _held(digests, now)
    mine, theirs = rows[own], rows.get(place)
    open_again = theirs is not None and mine.slowed_at is not None and now - mine.slowed_at >= LONGEST
    if (_waits(mine, now) and not open_again) or (theirs is not None and _waits(theirs, now)):
        return None
    for row in rows.values():
        row.failures += 1
        row.last_at = now
        if row.failures >= FREE and row.slowed_at is None:
            row.slowed_at = now
        row.save()
    return Attempt(own=own, address=place, failures=max(row.failures for row in rows.values()))


def _held(digests: Sequence[str], now: dt.datetime) -> dict[str, FailedSignIns]:
    """The counts, locked, made where there were none; old ones begin anew."""
    blank = [FailedSignIns(digest=digest, failures=0, last_at=now) for digest in sorted(digests)]
    held: dict[str, FailedSignIns] = {}
    while len(held) < len(blank):  # one that was there may go before it is locked: somebody else has just come in
        FailedSignIns.objects.bulk_create(blank, ignore_conflicts=True)
        rows = FailedSignIns.objects.select_for_update().filter(digest__in=digests).order_by("digest")
        held = {row.digest: row for row in rows}
    for row in held.values():
        if now - row.last_at >= FORGOTTEN:
            row.failures, row.slowed_at = 0, None
    return held


def _waits(row: FailedSignIns, now: dt.datetime) -> bool:
    return now < row.last_at + wait_after(row.failures)


def wait_after(failures: int) -> dt.timedelta:
    """How long the next attempt has to wait."""
    if failures < FREE:
        return dt.timedelta(0)
    return LONGEST if failures - FREE > 10 else min(FIRST * 2 ** (failures - FREE), LONGEST)


@transaction.atomic
def succeed(*, attempt: Attempt) -> None:
    """Take back that the attempt failed; what others failed at from the same address stands."""
    FailedSignIns.objects.filter(digest=attempt.own).delete()
    FailedSignIns.objects.filter(digest=attempt.address, failures__gt=0).update(failures=F("failures") - 1)


def forget_failures(*, now: dt.datetime) -> int:
    """Delete counts that count no more; returns how many."""
    return FailedSignIns.objects.filter(last_at__lt=now - FORGOTTEN).delete()[0]
