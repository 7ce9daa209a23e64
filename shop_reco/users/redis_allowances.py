"""The shared buckets in Redis, where the shop has one; the one file that talks to it itself."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from .errors import StoreAwayError
from .selectors import digest_of

PATIENCE = 0.5
"""Seconds in which Redis must answer; only a thread waits for it."""

_SPEND = """
local now = redis.call('TIME')
local at = tonumber(now[1]) + tonumber(now[2]) / 1000000
local left = {}
for place, key in ipairs(KEYS) do
  local points, size, refill = tonumber(ARGV[3 * place - 2]), tonumber(ARGV[3 * place - 1]), tonumber(ARGV[3 * place])
  local known = redis.call('HMGET', key, 'points', 'at')
  local level = size
  if known[1] then
    level = math.min(size, tonumber(known[1]) + math.max(0, at - tonumber(known[2])) * refill)
  end
  level = math.max(level - points, -size)
  redis.call('HSET', key, 'points', string.format('%.6f', level), 'at', string.format('%.6f', at))
  redis.call('PEXPIRE', key, math.ceil(2000 * size / refill) + 1000)
  left[place] = string.format('%.6f', level)
end
return left
"""
"""A bucket is gone from Redis once it must be full again."""


@lru_cache(maxsize=4)
def _script(url: str) -> Any:
    import redis

    client = redis.Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
    return client.register_script(_SPEND)


def spend(*, url: str, spent: Mapping[str, tuple[float, float, float]]) -> dict[str, float]:
    """Take from the shared buckets what was spent: points, size, refill by sender; returns what each has left.

    It may be less than nothing: what was given is given. Names do not reach Redis, only their keyed digests.

    Raises:
        StoreAwayError: If Redis does not answer; whether it was taken is not known.
    """
    import redis

    if not spent:
        return {}
    names = sorted(spent)
    keys = [f"shop_reco:allowance:{digest_of(f'allowance:{name}')}" for name in names]
    try:
        left = _script(url)(keys=keys, args=[number for name in names for number in spent[name]])
    except redis.RedisError as error:
        raise StoreAwayError(type(error).__name__) from error
    return {name: float(level) for name, level in zip(names, left, strict=True)}
