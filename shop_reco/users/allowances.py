"""How much a sender may ask for: a bucket of points that fills again, shared by all processes.

Every process keeps the buckets of its own senders in memory and decides by them, so that no request waits for a write.
Only a sender who spends fast is told to the others, by a thread, and then learns what other processes gave them: what
they get beyond their limit is at most the share of it that each process has not told yet. They are told through Redis
where RATE_REDIS names one, else through the database; one that is away leaves every process with its own bucket.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.utils import timezone

from shop_reco.conf import reco_settings

from . import redis_allowances
from .errors import StoreAwayError
from .models import Allowance
from .selectors import digest_of

logger = structlog.get_logger(__name__)
UNTOLD = 0.02
"""Share of a bucket that a process gives before it tells the others."""
MOST_SENDERS = 20_000
"""Senders whose buckets a process remembers; who has asked for nothing for longest is forgotten, as if full again."""
PAUSE = 0.05
"""Seconds in which spending gathers: one transaction tells of many senders."""
QUIET = 1.0
"""Seconds without spending after which a connection that lasts (CONN_MAX_AGE) is given back."""


@dataclass(slots=True)
class Bucket:
    """What one sender has left here, at an instant of the steady clock."""

    size: float
    refill: float
    level: float
    at: float
    untold: float = 0.0

    def fill(self, now: float) -> None:
        self.level = min(self.size, self.level + (now - self.at) * self.refill)
        self.at = now
        if self.level >= self.size:
            self.untold = 0.0

    def wait(self, points: float) -> float:
        """Seconds after which so many points, or all there can be, are there; 0.0 if they are."""
        missing = min(points, self.size) - self.level
        return missing / self.refill if missing > 0 else 0.0


class Allowances:
    """The buckets of this process.

    Args:
        clock: Seconds that never go back.
        tell: Has what is untold of a sender told to the others; by default a thread does, soon.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, tell: Callable[[Allowances], None] | None = None
    ) -> None:
        self._clock = clock
        self._tell = tell or Allowances._have_told
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self._lock = threading.Lock()
        self._waiting: set[str] = set()
        self._wake = threading.Event()
        self._teller: threading.Thread | None = None

    def take(self, sender: str, points: float, *, size: float, refill: float) -> float:
        """Spend points; 0.0 if they were there, else the seconds after which they are, and nothing is spent.

        Args:
            sender: What tells this sender from others.
            points: At most ``size`` are ever asked for.
            size: Points that may be spent at once.
            refill: Points that come back in a second.
        """
        points = min(points, size)
        with self._lock:
            bucket = self._bucket(sender, size, refill)
            if wait := bucket.wait(points):
                return wait
            bucket.level -= points
            bucket.untold += points
            tells = bucket.untold >= UNTOLD * size
            if tells:
                self._waiting.add(sender)
        if tells:
            self._tell(self)
        return 0.0

    def wait(self, sender: str, points: float) -> float:
        """Seconds after which a sender who spent here has so many points; 0.0 if they are there, or of a stranger."""
        with self._lock:
            bucket = self._buckets.get(sender)
            if bucket is None:
                return 0.0
            bucket.fill(self._clock())
            return bucket.wait(points)

    def left(self, sender: str) -> float | None:
        """Points that a sender has left as far as is known here; None of a stranger."""
        with self._lock:
            bucket = self._buckets.get(sender)
            if bucket is None:
                return None
            bucket.fill(self._clock())
            return bucket.level

    def _bucket(self, sender: str, size: float, refill: float) -> Bucket:
        now = self._clock()
        bucket = self._buckets.get(sender)
        if bucket is None or bucket.size != size or bucket.refill != refill:
            bucket = self._buckets[sender] = Bucket(size, refill, size, now)
        self._buckets.move_to_end(sender)
        if len(self._buckets) > MOST_SENDERS:
            self._buckets.popitem(last=False)
        bucket.fill(now)
        return bucket

    def _have_told(self) -> None:
        with self._lock:
            if self._teller is None or not self._teller.is_alive():
                self._teller = threading.Thread(target=self._tell_forever, name="reco-allowances", daemon=True)
                self._teller.start()
        self._wake.set()

    def _tell_forever(self) -> None:
        away = False
        while True:
            if not self._wake.wait(QUIET):
                connection.close()
                self._wake.wait()
            self._wake.clear()
            try:
                self.tell()
                away = False
            except (DatabaseError, InterfaceError, StoreAwayError) as error:
                if not away:  # once, however long it lasts
                    logger.warning("allowances_not_told", error=type(error).__name__)
                away = True
            finally:
                connection.close_if_unusable_or_obsolete()
            time.sleep(PAUSE)

    def tell(self) -> None:
        """Tell the others what senders spent here, and learn what they spent elsewhere.

        Raises:
            DatabaseError, InterfaceError, StoreAwayError: If it cannot be told; it is the next time.
        """
        with self._lock:
            spent = {name: self._buckets[name] for name in self._waiting if name in self._buckets}
            told = {name: bucket.untold for name, bucket in spent.items()}
            self._waiting.clear()
        left = spend_shared(
            spent={name: (points, spent[name].size, spent[name].refill) for name, points in told.items() if points > 0}
        )
        with self._lock:
            for name, level in left.items():
                bucket = spent[name]
                bucket.fill(self._clock())
                bucket.untold = max(0.0, bucket.untold - told[name])
                bucket.level = min(bucket.level, level - bucket.untold)


def spend_shared(*, spent: Mapping[str, tuple[float, float, float]]) -> dict[str, float]:
    """As ``spend``, wherever the shared buckets are."""
    url = reco_settings().RATE_REDIS
    return redis_allowances.spend(url=url, spent=spent) if url else spend(spent=spent)


@transaction.atomic
def spend(*, spent: Mapping[str, tuple[float, float, float]]) -> dict[str, float]:
    """Take from the shared buckets what was spent: points, size, refill by sender; returns what each has left.

    It may be less than nothing: what was given is given.
    """
    now = timezone.now()
    digests = {digest_of(f"allowance:{name}"): name for name in sorted(spent)}
    known = {each.digest: each for each in Allowance.objects.select_for_update().filter(digest__in=digests)}
    left: dict[str, float] = {}
    rows = []
    for digest, name in digests.items():
        points, size, refill = spent[name]
        row = known.get(digest)
        level = size if row is None else min(size, row.points + max(0.0, (now - row.spent_at).total_seconds()) * refill)
        left[name] = max(level - points, -size)
        rows.append(Allowance(digest=digest, points=left[name], spent_at=now))
    Allowance.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["digest"], update_fields=["points", "spent_at"]
    )
    return left


def forget_allowances(*, older: dt.timedelta) -> int:
    """Delete what was spent so long ago that it is back; returns how many senders that were."""
    return Allowance.objects.filter(spent_at__lt=timezone.now() - older).delete()[0]


allowances = Allowances()
