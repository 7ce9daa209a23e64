"""Served lists on their way to their rows: the reply does not wait for them."""

from __future__ import annotations

import queue
import threading
import time
import uuid
from collections.abc import Collection

import structlog
from django.db import DatabaseError, IntegrityError, connection
from django.db.models import Q

from shop_reco.conf import reco_settings
from shop_reco.measures import slates_lost, slates_waiting
from shop_reco.users.selectors import consenting_to_any, existing_ids

from ..models import Slate
from ..services import keep_slates

logger = structlog.get_logger(__name__)
QUIET = 1.0
"""Seconds without a list after which the writer gives its connection back."""
BREATH = 0.02
"""Seconds that the writer waits for the reply to go out, and for more lists to write with this one."""
OF_PEOPLE = frozenset({"people", "digest", "events", "likes", "unused", "favourites"})
"""What a basis has of its shopper: gone where the list may not be kept under their name."""


class SlateBuffer:
    """Bounded; what does not fit is dropped, which costs attribution only."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[Slate] = queue.Queue()
        self._recent: dict[uuid.UUID, Slate] = {}
        self._lock = threading.Lock()
        self._writer: threading.Thread | None = None

    def put(self, slate: Slate) -> None:
        size = reco_settings().SLATE_BUFFER
        if size == 0:
            keep_slates(slates=[slate])
            return
        if self._waiting.qsize() >= size:
            logger.warning("slate_dropped")
            slates_lost(1, why="full")
            return
        self._recent[slate.id] = slate
        self._waiting.put(slate)
        slates_waiting(self._waiting.qsize())
        with self._lock:
            if self._writer is None or not self._writer.is_alive():
                self._writer = threading.Thread(target=self._write_forever, name="reco-slates", daemon=True)
                self._writer.start()

    def find(self, slate_id: uuid.UUID) -> Slate | None:
        """A list of this process that is not written yet."""
        return self._recent.get(slate_id)

    def _write_forever(self) -> None:
        while True:
            batch = [self._next()]
            time.sleep(BREATH)
            while len(batch) < 100 and not self._waiting.empty():
                batch.append(self._waiting.get())
            try:
                _keep(batch)
            except DatabaseError as error:
                logger.warning("slates_lost", n=len(batch), error=type(error).__name__)
                slates_lost(len(batch), why="database")
            finally:
                connection.close_if_unusable_or_obsolete()
                slates_waiting(self._waiting.qsize())
            for slate in batch:
                self._recent.pop(slate.id, None)

    def _next(self) -> Slate:
        """Wait for a list; in a quiet moment the connection is given back, since to open one costs more than a row."""
        try:
            return self._waiting.get(timeout=QUIET)
        except queue.Empty:
            connection.close()
            return self._waiting.get()


def _keep(batch: list[Slate]) -> None:
    """Keep a batch, without the names of those who withdrew meanwhile, nor the slates of those who were erased."""
    try:
        keep_slates(slates=_still_kept(batch))
    except IntegrityError:  # erased between the look and the write
        keep_slates(slates=_still_kept(batch))


def _still_kept(batch: list[Slate]) -> list[Slate]:
    named = {slate.shopper_id for slate in batch if slate.shopper_id is not None}
    here, allowed = existing_ids(ids=named), consenting_to_any(among=named)
    kept = [slate for slate in batch if slate.shopper_id is None or slate.shopper_id in here]
    for slate in kept:
        if slate.shopper_id not in allowed:
            slate.shopper_id = None
            slate.basis = {name: value for name, value in slate.basis.items() if name not in OF_PEOPLE}
    return kept


buffer = SlateBuffer()


def own_slate(*, slate_id: uuid.UUID, shopper_ids: Collection[int]) -> Slate | None:
    """A list that was served to one of these shoppers, or is kept under nobody's name: that is anybody's who knows it.

    One query, unless it is theirs and not written yet. Somebody else's takes as long as one that does not exist.
    """
    waiting = buffer.find(slate_id)
    if waiting is not None and (waiting.shopper_id is None or waiting.shopper_id in shopper_ids):
        return waiting
    theirs = Q(shopper__isnull=True) | Q(shopper__in=shopper_ids)
    return Slate.objects.filter(theirs, pk=slate_id).first()
