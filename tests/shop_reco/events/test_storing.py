"""Events are stored alike, whichever way they go to the database."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from shop_reco.events import storing
from shop_reco.events.drafts import EventDraft
from shop_reco.events.models import Event
from shop_reco.events.storing import hold, insert_events

MANY, FEW = 0, 10**9
"""From how many events on they are copied: all of them, or none."""


@pytest.fixture(params=[MANY, FEW], ids=["copied", "as arrays"])
def way(request, monkeypatch):
    monkeypatch.setattr(storing, "COPIED", request.param)


@pytest.fixture
def drafts(shop):
    """One of each kind of value: nothing, texts of any script, fractions, whole numbers where others may be."""
    shopper, product = shop.people["h1"], shop.products["Tea-0"].pk
    plain = EventDraft(
        id=uuid.UUID(int=3), shopper_id=shopper, product_id=product, type="view_item", occurred_at=shop.now
    )
    full = EventDraft(
        id=uuid.UUID(int=1),
        shopper_id=shopper,
        product_id=product,
        type="review",
        occurred_at=shop.now - dt.timedelta(microseconds=1),
        clock_skewed=True,
        channel="store",
        order='o"1\t\\N',
        quantity=2_000_000_000,
        price=Decimal("9999999999.99"),
        currency="EUR",
        rating=4,
        text="很好 \\. \n\t😀 'quoted'",
        slate_id=uuid.UUID(int=9),
    )
    search = EventDraft(
        id=uuid.UUID(int=2), shopper_id=shopper, product_id=None, type="search", occurred_at=shop.now, query="茶, \\x"
    )
    return [plain, full, search]


def store(drafts, now):
    return insert_events([(draft, draft.digest()) for draft in drafts], received_at=now)


def test_each_value_comes_back_as_it_was_sent(way, drafts, shop):
    with transaction.atomic():
        assert store(drafts, shop.now) == {draft.id for draft in drafts}
    for draft in drafts:
        kept = Event.objects.get(pk=draft.id)
        for name in EventDraft.__dataclass_fields__:
            if hasattr(kept, name):
                assert getattr(kept, name) == getattr(draft, name), name
        assert (kept.received_at, kept.digest) == (shop.now, draft.digest())


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer, who has looked already")
def test_an_id_that_somebody_took_meanwhile_is_passed_over(way, drafts, shop):
    plain, full, search = drafts
    with transaction.atomic():
        store([plain], shop.now - dt.timedelta(days=1))
        assert store(drafts, shop.now) == {full.id, search.id}
        assert store(drafts, shop.now) == set()
    assert Event.objects.get(pk=plain.id).received_at == shop.now - dt.timedelta(days=1)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite keeps a NUL as any other letter")
def test_what_the_database_refuses_is_an_error_of_the_database_and_leaves_nothing(way, drafts, shop):
    from dataclasses import replace

    with pytest.raises((DatabaseError, ValueError)), transaction.atomic():
        store([*drafts, replace(drafts[0], id=uuid.uuid4(), quantity=0)], shop.now)
    with pytest.raises((DatabaseError, ValueError)), transaction.atomic():
        store([*drafts, replace(drafts[0], id=uuid.uuid4(), text="a\0b")], shop.now)
    assert not Event.objects.filter(pk__in=[draft.id for draft in drafts]).exists()
    with transaction.atomic():
        assert len(store(drafts, shop.now)) == 3


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite's limit is in its connection's options")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("own", "limit"), [("0", "5s"), ("2s", "2s")])
def test_a_write_waits_as_long_as_its_connection_says(person, own, limit):
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{own}'")
        with transaction.atomic():
            hold([person.pk])
            cursor.execute("SHOW lock_timeout")
            assert cursor.fetchone() == (limit,)
        cursor.execute("RESET lock_timeout")
