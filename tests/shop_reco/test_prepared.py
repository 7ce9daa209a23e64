"""A prepared query answers as the query does that Django puts together each time."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shop_reco.prepared import MOST, Prepared
from shop_reco.users.models import Consent, Shopper

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return [Shopper.objects.create(external_id=f"h{n}") for n in range(9)]


def by_name(name):
    return Shopper.objects.filter(external_id=name)


def among(ids):
    return Shopper.objects.filter(pk__in=ids).order_by("pk").values_list("external_id", flat=True)


def test_it_finds_what_the_values_of_this_call_name(people):
    found = Prepared(by_name)
    assert [found(name) for name in ("h3", "h5", "h99", "h3")] == [[people[3]], [people[5]], [], [people[3]]]
    (row,) = found("h3")
    assert row.public_id == people[3].public_id


def test_a_collection_of_any_size_finds_each_key_once(people):
    found, ids = Prepared(among), [person.pk for person in people]
    for n in range(10):
        assert found(ids[:n]) == [f"h{k}" for k in range(n)]
        assert found(set(ids[:n])) == [f"h{k}" for k in range(n)]
    assert found([*range(10**6, 10**6 + MOST), ids[4]]) == ["h4"]


def test_no_key_at_all_asks_nothing(people):
    with CaptureQueriesContext(connection) as asked:
        assert Prepared(among)([]) == []
    assert not asked.captured_queries


def test_moments_and_what_is_given_by_name_count(people):
    now = timezone.now()
    for n, person in enumerate(people[:4]):
        days = dt.timedelta(days=n)
        Consent.objects.create(shopper=person, purpose="training", granted=True, source="t", decided_at=now - days)

    def decided(since, until, *, limit):
        rows = Consent.objects.filter(decided_at__gte=since, decided_at__lte=until).order_by("-decided_at")
        return rows.values_list("shopper__external_id", "decided_at")[:limit]

    found = Prepared(decided)
    hour = dt.timedelta(hours=1)
    newest = found(now - hour - dt.timedelta(days=2), now, limit=9)
    assert newest == [(f"h{n}", now - dt.timedelta(days=n)) for n in range(3)]
    assert found(now - dt.timedelta(days=9), now - hour, limit=2) == [
        (f"h{n}", now - dt.timedelta(days=n)) for n in (1, 2)
    ]


def test_it_is_put_together_once_in_each_thread(people):
    built = []

    def build(name):
        built.append(name)
        return Shopper.objects.filter(external_id=name)

    found = Prepared(build)
    for _ in range(3):
        found("h1")
    assert len(built) == 1
    thread = threading.Thread(target=lambda: (found("h1"), connection.close()))
    thread.start()
    thread.join()
    assert len(built) == 2


def test_a_value_that_the_query_does_not_use_as_it_is_would_be_forgotten_and_is_refused(people):
    with pytest.raises(ValueError, match="not among its parameters"):
        Prepared(lambda name: Shopper.objects.filter(external_id__startswith=name))("h")
