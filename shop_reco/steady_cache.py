"""Django's cache in Redis, which a request outlives: what cannot be read there is made anew."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import structlog
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.redis import RedisCache
from redis import RedisError

logger = structlog.get_logger(__name__)
PAUSE = 5.0
"""Seconds between two looks at a Redis that is away: a request must not wait for it again and again."""
T = TypeVar("T")


class SteadyCache(RedisCache):
    """While Redis is away it is empty and keeps nothing; the first call that finds it so says so in the log."""

    _away_until: float | None = None
    """Of this process: until then nobody waits for Redis once more; None while it answers."""

    def _done(self, work: Callable[[], T], otherwise: T) -> T:
        until = SteadyCache._away_until
        if until is not None and time.monotonic() < until:
            return otherwise
        try:
            found = work()
        except RedisError as error:
            if until is None:
                logger.warning("cache_away", error=type(error).__name__)
            SteadyCache._away_until = time.monotonic() + PAUSE
            return otherwise
        SteadyCache._away_until = None
        return found

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._done(lambda: bool(super(SteadyCache, self).add(key, value, timeout, version)), True)

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._done(lambda: super(SteadyCache, self).get(key, default, version), default)

    def set(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> None:
        self._done(lambda: super(SteadyCache, self).set(key, value, timeout, version), None)

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return self._done(lambda: bool(super(SteadyCache, self).touch(key, timeout, version)), False)

    def delete(self, key: str, version: int | None = None) -> bool:
        return self._done(lambda: bool(super(SteadyCache, self).delete(key, version)), False)

    def get_many(self, keys: Iterable[str], version: int | None = None) -> dict[str, Any]:
        return self._done(lambda: super(SteadyCache, self).get_many(keys, version), {})

    def has_key(self, key: str, version: int | None = None) -> bool:
        return self._done(lambda: bool(super(SteadyCache, self).has_key(key, version)), False)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Raises ValueError for a key that is not there, as every cache does."""
        found = self._done(lambda: super(SteadyCache, self).incr(key, delta, version), None)
        if found is None:
            raise ValueError(f"Key '{key}' not found.")
        return int(found)

    def set_many(
        self, data: Mapping[str, Any], timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> list[str]:
        return self._done(lambda: list(super(SteadyCache, self).set_many(dict(data), timeout, version)), list(data))

    def delete_many(self, keys: Iterable[str], version: int | None = None) -> None:
        self._done(lambda: super(SteadyCache, self).delete_many(keys, version), None)

    def clear(self) -> None:
        self._done(super().clear, None)
