"""A refreshed portrait says what its shopper does, whatever happens meanwhile."""

from __future__ import annotations

import datetime as dt
import json
import random
import threading
import uuid

import pytest
from django.db import connection, transaction

from shop_reco.events.models import DirtyShopper, Event
from shop_reco.events.services import Sender, mark_shoppers, record_events, track
from shop_reco.portraits import services
from shop_reco.portraits.models import Portrait, PortraitEdit
from shop_reco.portraits.reading import portrait_of
from shop_reco.portraits.services import (
    edit_interests,
    mark_moved,
    refresh_dirty,
    refresh_portrait,
    refresh_portraits,
)
from shop_reco.privacy.services import erase_shopper
from shop_reco.users.models import Shopper
from shop_reco.users.services import create_visitor, decide_consent, link_visitor, undo_link


def counts_of(shopper):
    return json.dumps(Portrait.objects.get(shopper=shopper).counts)


def test_the_portrait_of_a_shopper_names_what_they_buy(trained, person):
    refresh_dirty()
    view = portrait_of(shopper=person, now=trained.now)
    assert view.orders == 8
    assert view.spent == 20
    assert [each.key for each in view.interests if each.kind == "category"][:2] == ["Shop", "Shop > Tea"]
    assert {each.key for each in view.interests if each.kind == "brand"} == {"B0", "B1", "B2"}
    assert "tea" in {each.key for each in view.interests if each.kind == "keyword"}
    assert (view.basket, view.interval) == (1.0, 7.0)
    assert view.channel_counts == {"web": 8}
    assert sum(view.hours) == 8


def test_any_order_of_arrival_gives_the_same_bytes(shop, person):
    kinds = ["purchase", "view_item", "refund"] * 6
    events = [
        {"id": uuid.uuid5(uuid.NAMESPACE_OID, f"late/{n}"), "type": kind, "sku": f"Tea-{n % 12}", "price": "3.10",
         "order": f"x{n // 2}", "occurred_at": shop.now - dt.timedelta(days=n * 1.7), "currency": "USD"}
        for n, kind in enumerate(kinds)
    ]  # fmt: skip
    found = set()
    for seed in range(20):
        Event.objects.filter(pk__in=[event["id"] for event in events]).delete()
        random.Random(seed).shuffle(events)
        for start in range(0, len(events), 5):
            again = events[: start + 5] if seed % 3 == 0 else events[start : start + 5]  # some are sent twice
            record_events(events=again, shopper=person, sender=Sender.SERVER)
            if seed % 2:
                refresh_dirty()
        refresh_dirty()
        assert Portrait.objects.get(shopper=person).n_events == 8 + 18
        found.add(counts_of(person))
    assert len(found) == 1


def test_drawing_takes_as_many_queries_for_many_events_as_for_few(shop, person):
    refresh_portrait(shopper_id=person.pk)
    with CountQueries() as few:
        refresh_portrait(shopper_id=person.pk)
    product = shop.products["Tea-1"]
    Event.objects.bulk_create(
        Event(
            id=uuid.uuid4(), shopper=person, type="view_item", product=product, digest="", received_at=shop.now,
            occurred_at=shop.now - dt.timedelta(minutes=n),
        )
        for n in range(5000)
    )  # fmt: skip
    with CountQueries() as many:
        assert refresh_portrait(shopper_id=person.pk) == 5008
    assert many.n == few.n <= 20


def test_drawing_takes_as_many_queries_for_many_shoppers_as_for_one(shop, person):
    refresh_dirty()
    with CountQueries() as one:
        refresh_portrait(shopper_id=person.pk)
    with CountQueries() as many:
        assert refresh_portraits(shopper_ids=list(shop.people.values())) == dict.fromkeys(shop.people.values(), 8)
    assert many.n == one.n


class CountQueries:
    def __enter__(self):
        self.n = 0
        self._context = connection.execute_wrapper(self._count)
        self._context.__enter__()
        return self

    def __exit__(self, *error):
        self._context.__exit__(*error)

    def _count(self, execute, sql, params, many, context):
        self.n += 1
        return execute(sql, params, many, context)


@pytest.fixture
def drawn_together(monkeypatch):
    """The shoppers of each transaction."""
    found, draw = [], services.refresh_portraits

    def noted(*, shopper_ids):
        found.append(list(shopper_ids))
        return draw(shopper_ids=shopper_ids)

    monkeypatch.setattr(services, "refresh_portraits", noted)
    return found


def test_portraits_are_drawn_a_few_at_a_time_so_that_no_writer_waits_for_all(shop, drawn_together):
    assert refresh_dirty() == 30
    assert [len(some) for some in drawn_together] == [8, 8, 8, 6]
    assert sorted(pk for some in drawn_together for pk in some) == sorted(shop.people.values())


def test_a_shopper_of_many_events_is_drawn_alone(shop, drawn_together):
    refresh_dirty()
    drawn_together.clear()
    second = sorted(shop.people.values())[1]
    Portrait.objects.filter(pk=second).update(n_events=5000)
    mark_shoppers(shopper_ids=shop.people.values())
    refresh_dirty()
    assert [second] in drawn_together
    assert [len(some) for some in drawn_together] == [1, 1, 8, 8, 8, 4]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time, whatever we do")
def test_nobody_waits_for_who_is_marked_at_the_moment(shop, person):
    """Whoever marks holds the row until its commit, and may wait for a shopper who is drawn in the same batch."""
    refresh_dirty()
    mark_shoppers(shopper_ids=shop.people.values())
    marked, drawn, failures = threading.Event(), threading.Event(), []

    def mark():
        try:
            with transaction.atomic():
                mark_shoppers(shopper_ids=[person.pk])
                marked.set()
                if not drawn.wait(20):
                    failures.append("drawing waited for the mark")
        finally:
            connection.close()

    marker = threading.Thread(target=mark)
    marker.start()
    assert marked.wait(20)
    refresh_dirty()
    drawn.set()
    marker.join()
    assert failures == []
    assert list(DirtyShopper.objects.values_list("pk", flat=True)) == [person.pk]


def test_a_mark_made_while_a_portrait_is_drawn_stays(shop, person, monkeypatch):
    refresh_dirty()
    track(shopper=person, type="view_item", product=shop.products["Tea-1"])
    draw = services.portraits_drawn

    def drawn(rows, **more):
        found = draw(rows, **more)
        track(shopper=person, type="view_item", product=shop.products["Tea-2"])
        return found

    monkeypatch.setattr(services, "portraits_drawn", drawn)
    assert refresh_portrait(shopper_id=person.pk) == 9
    monkeypatch.undo()
    assert DirtyShopper.objects.filter(shopper=person).exists()
    assert refresh_dirty() == 1
    assert Portrait.objects.get(shopper=person).n_events == 10
    assert not DirtyShopper.objects.filter(shopper=person).exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_and_a_stream_of_events_end_with_every_event_drawn(shop, person):
    refresh_dirty()
    stop, errors = threading.Event(), []

    def work():
        try:
            while not stop.is_set():
                refresh_dirty()
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for n in range(40):
        track(shopper=person, type="view_item", product=shop.products[f"Tea-{n % 12}"])
    stop.set()
    for worker in workers:
        worker.join()
    assert errors == []
    refresh_dirty()
    assert Portrait.objects.get(shopper=person).n_events == 48


def test_an_erased_shopper_is_drawn_by_nobody(shop, person):
    track(shopper=person, type="view_item", product=shop.products["Tea-1"])
    erase_shopper(shopper=person)
    assert refresh_portrait(shopper_id=person.pk) == 0
    refresh_dirty()
    assert not Portrait.objects.filter(shopper_id=person.pk).exists()


def test_news_of_a_linked_visitor_reach_the_portrait_of_the_account(shop, person):
    visitor = create_visitor()
    decide_consent(shopper=visitor, decisions={"personalisation": True}, source="test")
    link = link_visitor(visitor=visitor, account=person)
    refresh_dirty()
    track(shopper=visitor, type="view_item", product=shop.products["Soap-3"])
    refresh_dirty()
    assert Portrait.objects.get(shopper=person).n_events == 9
    undo_link(link=link)
    refresh_portrait(shopper_id=person.pk)
    assert Portrait.objects.get(shopper=person).n_events == 8


def test_a_change_of_time_zone_moves_the_hours(shop, person):
    at = dt.datetime(2026, 1, 5, 23, 30, tzinfo=dt.UTC)  # a Monday
    Event.objects.filter(shopper=person).update(occurred_at=at)
    refresh_portrait(shopper_id=person.pk)
    assert Portrait.objects.get(shopper=person).counts["hours"] == {"23": 8}
    DirtyShopper.objects.all().delete()
    person.time_zone = "Asia/Shanghai"
    person.save()
    assert refresh_dirty() == 1
    assert Portrait.objects.get(shopper=person).counts["hours"] == {"31": 8}
    Shopper.objects.filter(pk=person.pk).update(time_zone="Nowhere/Else")  # past every signal
    assert mark_moved() == 1
    refresh_dirty()
    assert Portrait.objects.get(shopper=person).counts["hours"] == {"23": 8}


def test_without_consent_to_personalisation_there_is_no_portrait(shop, person):
    refresh_dirty()
    decide_consent(shopper=person, decisions={"personalisation": False}, source="test")
    refresh_portrait(shopper_id=person.pk)
    assert not Portrait.objects.filter(shopper=person).exists()
    decide_consent(shopper=person, decisions={"personalisation": True}, source="test")
    refresh_portrait(shopper_id=person.pk)
    assert Portrait.objects.get(shopper=person).n_events == 8


def test_drawing_anew_changes_no_edit(shop, person):
    edit_interests(shopper=person, pin=[("category", "Tea")], block=[("brand", "B1")], hide=[("keyword", "tea")])
    refresh_dirty()
    refresh_portrait(shopper_id=person.pk)
    edits = PortraitEdit.objects.filter(shopper=person).values_list("action", "kind", "key")
    assert set(edits) == {("pin", "category", "Shop > Tea"), ("block", "brand", "B1"), ("hide", "keyword", "tea")}
    view = portrait_of(shopper=person, now=shop.now)
    states = {each.key: each.state for each in view.interests if each.state}
    assert states == {"Shop > Tea": "pin", "B1": "block"}
    assert [each.key for each in view.hidden] == ["tea"]


def test_a_category_is_edited_by_its_name_or_by_its_path(shop, person):
    edit_interests(shopper=person, hide=[("category", "Tea")])
    edit_interests(shopper=person, clear=[("category", "Shop > Tea")])
    assert not PortraitEdit.objects.exists()
    edit_interests(shopper=person, hide=[("category", "Shop > Tea")])
    edit_interests(shopper=person, clear=[("category", "Tea")])
    assert not PortraitEdit.objects.exists()


def test_what_is_below_a_hidden_category_is_hidden_with_it(shop, person):
    refresh_dirty()
    edit_interests(shopper=person, hide=[("category", "Shop")])
    view = portrait_of(shopper=person, now=shop.now)
    assert [each.key for each in view.interests if each.kind == "category"] == []
    assert [each.key for each in view.hidden] == ["Shop"]


def test_a_failure_of_one_portrait_keeps_the_others_coming(shop, person, monkeypatch):
    read = services.event_rows

    def failing(*, shopper_ids):
        if person.pk in shopper_ids:
            raise RuntimeError("broken rows")
        return read(shopper_ids=shopper_ids)

    monkeypatch.setattr(services, "event_rows", failing)
    refresh_dirty()
    assert Portrait.objects.count() == 29
    assert list(DirtyShopper.objects.values_list("pk", flat=True)) == [person.pk]


def test_a_price_that_is_no_number_in_the_database_leaves_its_shopper_a_portrait(trained, person):
    odd = Event.objects.filter(shopper=person, type="purchase").first()
    with connection.cursor() as cursor:
        key = odd.pk if connection.vendor == "postgresql" else odd.pk.hex
        cursor.execute("UPDATE reco_events_event SET price = 'NaN' WHERE id = %s", [key])
    mark_shoppers(shopper_ids=[person.pk])
    refresh_dirty()
    portrait = Portrait.objects.get(shopper=person)
    assert portrait.n_events == 8
    assert "nan" not in counts_of(person).lower()
