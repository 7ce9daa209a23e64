"""The cache in Redis: shared while it is there, and missed by no request while it is not."""

from __future__ import annotations

import time

import pytest
import structlog
from django.core.cache.backends.db import DatabaseCache
from django.db import connection

from shop_reco import steady_cache
from shop_reco.conf import CACHE_TABLE
from shop_reco.recommendations.receivers import on_migrated
from shop_reco.steady_cache import SteadyCache
from tests.redis_server import RedisServer


@pytest.fixture(scope="module")
def server():
    redis = RedisServer()
    yield redis
    redis.stop()


@pytest.fixture
def process(server, monkeypatch):
    """Makes the cache of one more process."""
    monkeypatch.setattr(steady_cache, "PAUSE", 0.0)
    monkeypatch.setattr(SteadyCache, "_away_until", None)
    options = {"OPTIONS": {"socket_timeout": 0.5, "socket_connect_timeout": 0.5}}
    return lambda: SteadyCache(server.url, options)


def asked(cache):
    """Every call of a cache, with what it says where nothing is kept."""
    assert cache.get("key", "nothing") == "nothing"
    cache.set("key", 1, 60)
    assert cache.add("key", 1)
    assert cache.get_many(["key"]) == {}
    assert cache.set_many({"key": 1}) == ["key"]
    assert not cache.has_key("key")
    assert not cache.touch("key")
    assert not cache.delete("key")
    cache.delete_many(["key"])
    cache.clear()
    assert cache.get_or_set("key", lambda: "made") == "made"
    with pytest.raises(ValueError, match="not found"):
        cache.incr("key")


def test_what_one_process_keeps_another_one_finds(process):
    process().set("key", {"n": 1}, 60)
    assert process().get("key") == {"n": 1}
    process().set("count", 0)
    process().incr("count", 2)
    assert process().get("count") == 2


def test_a_redis_that_is_away_is_an_empty_cache_and_told_once(process, server):
    cache = process()
    cache.set("key", 1)
    server.stop()
    try:
        with structlog.testing.capture_logs() as lines:
            asked(cache)
    finally:
        server.start()
    assert [line["event"] for line in lines] == ["cache_away"]
    cache.set("key", 2)
    assert cache.get("key") == 2


def test_a_redis_that_hangs_is_waited_for_once(process, server, monkeypatch):
    monkeypatch.setattr(steady_cache, "PAUSE", 60.0)
    cache = process()
    cache.set("key", 1)
    began = time.monotonic()
    with server.frozen():
        asked(cache)
    assert time.monotonic() - began < 3


def test_without_redis_the_cache_is_a_table_that_migrate_makes(db, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": CACHE_TABLE}}
    on_migrated()
    on_migrated()
    cache = DatabaseCache(CACHE_TABLE, {})
    cache.set("key", {"n": 1}, 60)
    assert cache.get("key") == {"n": 1}


def test_the_cache_of_a_host_is_its_own_affair(db, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "of_the_host"}}
    on_migrated()
    assert "of_the_host" not in connection.introspection.table_names()
