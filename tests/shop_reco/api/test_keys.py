"""What a request with a key leaves behind, and what becomes of it when the key ends."""

from __future__ import annotations

import datetime as dt
import threading
import time

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shop_reco.users.key_uses import KeyUses
from shop_reco.users.models import ApiKey
from shop_reco.users.services import issue_key, revoke_key, rotate_key
from tests.threads import at_once

QUESTION = {"query": "{ categories { name } }"}


def ask(client, plain):
    return client.post(
        "/graphql/", QUESTION, content_type="application/json", headers={"Authorization": f"Bearer {plain}"}
    )


def test_both_keys_of_a_rotation_are_answered_until_the_old_one_ends(db, client):
    old, before = issue_key(name="server", scopes=["lists:read"])
    new, after = rotate_key(key=old)
    assert [ask(client, plain).status_code for plain in (before, after)] == [200, 200]
    ApiKey.objects.filter(pk=old.pk).update(created_at=timezone.now() - dt.timedelta(days=8), ends_at=timezone.now())
    refused = ask(client, before)
    assert (refused.status_code, ask(client, after).status_code) == (403, 200)
    revoke_key(key=new)
    revoked, unknown = ask(client, after), ask(client, "0" * 12 + ".x")
    assert refused.content == revoked.content == unknown.content


@pytest.fixture
def noting(settings, monkeypatch, transactional_db):
    """A shop that notes uses; holds the threads that write them."""
    settings.SHOP_RECO = {**settings.SHOP_RECO, "KEY_NOTED": 60.0}
    uses, writers = KeyUses(), []

    class Watched:
        def note(self, key):
            writers.append(uses.note(key))

    monkeypatch.setattr("shop_reco.api.identity.uses", Watched())
    yield writers
    for writer in filter(None, writers):
        writer.join(20)


def test_a_question_is_no_write_though_its_key_is_noted(noting, client):
    key, plain = issue_key(name="server", scopes=["lists:read"])
    started = timezone.now()
    for _ in range(3):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert ask(client, plain).status_code == 200
        assert all(each["sql"].startswith("SELECT") for each in queries.captured_queries)
        for writer in filter(None, noting):
            writer.join(20)
    assert [writer is None for writer in noting] == [False, True, True]
    assert started <= ApiKey.objects.get(pk=key.pk).last_used_at <= timezone.now()


def test_no_question_waits_until_its_key_can_be_noted(noting, client):
    key, plain = issue_key(name="server", scopes=["lists:read"])
    begun, over = threading.Event(), threading.Event()

    def holding():
        with transaction.atomic():
            ApiKey.objects.select_for_update().get(pk=key.pk)
            begun.set()
            over.wait(10)

    def asking():
        begun.wait(10)
        started = time.monotonic()
        try:
            return ask(client, plain).status_code, time.monotonic() - started
        finally:
            over.set()

    _, (status, took) = at_once(holding, asking)
    assert status == 200
    assert took < 8  # of the ten for which the row is held
    for writer in filter(None, noting):
        writer.join(20)
    assert ApiKey.objects.get(pk=key.pk).last_used_at is not None


def test_a_question_is_answered_though_the_digest_cannot_be_renewed(db, client, settings, monkeypatch):
    key, plain = issue_key(name="server", scopes=["lists:read"])
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]

    def refuse(*args, **values):
        raise OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(QuerySet, "update", refuse)
    assert ask(client, plain).status_code == 200
    assert ApiKey.objects.get(pk=key.pk).digest == key.digest
