"""When a key was last used: noted about once a minute, by a thread, so that no request waits or fails for it."""

from __future__ import annotations

import datetime as dt
import threading
import time

import structlog
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from shop_reco.conf import reco_settings

from .models import ApiKey

logger = structlog.get_logger(__name__)


class KeyUses:
    """One note of a key is on its way at a time; one that failed is tried again KEY_NOTED later."""

    def __init__(self) -> None:
        self._tried: dict[int, float] = {}
        self._lock = threading.Lock()

    def note(self, key: ApiKey) -> threading.Thread | None:
        """Have it noted soon that the key is used now; returns who writes it, None where the last note is no older."""
        every = reco_settings().KEY_NOTED
        if every == 0 or not _is_due(key, every):
            return None
        now = time.monotonic()
        with self._lock:
            if now - self._tried.get(key.pk, -every) < every:
                return None
            self._tried[key.pk] = now
        writer = threading.Thread(target=_write, args=(key.pk, every), name="reco-key-use", daemon=True)
        writer.start()
        return writer


def _is_due(key: ApiKey, every: float) -> bool:
    return key.last_used_at is None or timezone.now() - key.last_used_at >= dt.timedelta(seconds=every)


def _write(key_id: int, every: float) -> None:
    now = timezone.now()
    due = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - dt.timedelta(seconds=every))
    try:
        with transaction.atomic():
            ApiKey.objects.filter(due, pk=key_id).update(last_used_at=now)
    except (DatabaseError, InterfaceError) as error:
        logger.warning("key_use_not_noted", error=type(error).__name__)
    finally:
        connection.close()


uses = KeyUses()
