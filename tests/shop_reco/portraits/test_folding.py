"""Old events become sums of their days: nothing is lost, nothing counts twice, the portrait stays as it was."""

from __future__ import annotations

import datetime as dt
import json
import threading
import uuid

import pytest
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from shop_reco.events.drafts import EventDraft
from shop_reco.events.imports import import_events
from shop_reco.events.models import Event
from shop_reco.events.services import Sender, record_events, track
from shop_reco.portraits import folding
from shop_reco.portraits.folding import fold_events
from shop_reco.portraits.models import FoldedDay, Portrait
from shop_reco.portraits.reading import portrait_of
from shop_reco.portraits.services import refresh_dirty, refresh_portrait
from shop_reco.privacy.services import erase_shopper
from shop_reco.products.models import Category
from shop_reco.products.services import set_sensitive
from shop_reco.users.models import Shopper
from shop_reco.users.services import create_visitor, decide_consent, link_visitor


def drawn(shopper):
    refresh_portrait(shopper_id=shopper.pk)
    row = Portrait.objects.get(shopper=shopper)
    return json.dumps([row.counts, row.summary, row.n_events], ensure_ascii=False)


def test_a_portrait_is_byte_for_byte_the_same_after_folding(shop, busy):
    before = drawn(busy)
    old = Event.objects.filter(shopper=busy, occurred_at__lt=shop.now - dt.timedelta(days=401)).count()
    folded = fold_events(now=shop.now)
    assert folded >= old > 50
    assert Event.objects.filter(shopper=busy).count() == 400 - folded
    assert FoldedDay.objects.filter(shopper=busy).aggregate(n=Sum("n_events"))["n"] == folded
    assert drawn(busy) == before


def test_it_is_the_same_in_another_time_zone_and_however_often_it_is_folded(shop, busy):
    busy.time_zone = "Asia/Kathmandu"
    busy.save()
    before = drawn(busy)
    for days in (0, 40, 200, 500, 900):
        fold_events(now=shop.now + dt.timedelta(days=days))
        assert drawn(busy) == before
    assert not Event.objects.filter(shopper=busy).exists()


def test_searches_go_after_thirty_days_and_their_words_stay_counted(shop, busy):
    before = drawn(busy)
    fold_events(now=shop.now)
    searches = Event.objects.filter(shopper=busy, type="search")
    assert searches.exists()
    assert not searches.filter(occurred_at__lt=shop.now - dt.timedelta(days=31)).exists()
    assert drawn(busy) == before
    assert "龙井" in before


def test_a_stranger_is_kept_ninety_days_and_one_who_became_an_account_as_long_as_it(shop, person):
    stranger, known = create_visitor(), create_visitor()
    for visitor in (stranger, known):
        decide_consent(shopper=visitor, decisions={"personalisation": True}, source="test")
        track(shopper=visitor, type="view_item", product=shop.products["Tea-1"])
    link_visitor(visitor=known, account=person)
    fold_events(now=timezone.now() + dt.timedelta(days=89))
    assert Event.objects.filter(shopper=stranger).count() == 1
    fold_events(now=timezone.now() + dt.timedelta(days=91))
    assert Event.objects.filter(shopper=stranger).count() == 0
    assert FoldedDay.objects.get(shopper=stranger).n_events == 1
    assert Event.objects.filter(shopper=known).count() == 1


@pytest.mark.parametrize(
    ("kind", "sku", "days", "visitor", "code"),
    [
        ("view_item", "Tea-1", 399, False, None),
        ("view_item", "Tea-1", 401, False, "TOO_OLD"),
        ("search", None, 29, False, None),
        ("search", None, 31, False, "TOO_OLD"),
        ("view_item", "Tea-1", 89, True, None),
        ("view_item", "Tea-1", 91, True, "TOO_OLD"),
    ],
)
def test_what_was_folded_is_too_old_to_be_sent_again(shop, person, kind, sku, days, visitor, code):
    shopper = create_visitor() if visitor else person
    decide_consent(shopper=shopper, decisions={"personalisation": True}, source="test")
    event = {"id": uuid.uuid4(), "type": kind, "sku": sku, "occurred_at": timezone.now() - dt.timedelta(days=days)}
    outcome = record_events(events=[event], shopper=shopper, sender=Sender.SERVER)
    assert [each.code for each in outcome.rejected] == ([code] if code else [])
    # Whatever the door still takes is not folded, and what is folded the door takes no more.
    assert fold_events() == 0


def test_a_visitor_who_joined_an_account_after_the_folding_cannot_send_it_again(shop, person):
    visitor = create_visitor()
    decide_consent(shopper=visitor, decisions={"personalisation": True}, source="test")
    old = timezone.now() - dt.timedelta(days=100)
    link_visitor(visitor=visitor, account=person)
    event = {"id": uuid.uuid4(), "type": "view_item", "sku": "Tea-1", "occurred_at": old}
    outcome = record_events(events=[event], shopper=visitor, sender=Sender.BROWSER)
    assert [each.code for each in outcome.rejected] == ["TOO_OLD"]


def test_an_import_repeated_after_the_folding_counts_once(shop, person):
    drafts = [
        EventDraft(
            id=uuid.uuid5(uuid.NAMESPACE_OID, f"old/{n}"), shopper_id=person.pk,
            product_id=shop.products["Tea-1"].pk, type="purchase", occurred_at=shop.now - dt.timedelta(days=398 + n),
        )
        for n in range(5)
    ]  # fmt: skip
    assert import_events(rows=drafts) == 2
    later = shop.now + dt.timedelta(days=3)
    before = drawn(person)
    assert fold_events(now=later) == 2
    assert drawn(person) == before


@pytest.mark.parametrize(
    ("kind", "days", "visitor"), [("search", 31, False), ("view_item", 91, True), ("rate", 401, False)]
)
def test_sent_once_more_after_the_folding_it_counts_once(shop, person, settings, kind, days, visitor):
    """And with the door open it would count twice: that is what the age is for."""
    shopper = create_visitor() if visitor else person
    decide_consent(shopper=shopper, decisions={"personalisation": True}, source="test")
    product = None if kind == "search" else shop.products["Tea-1"]
    event = {
        "id": uuid.uuid4(), "type": kind, "occurred_at": timezone.now() - dt.timedelta(days=days),
        "rating": 4.0 if kind == "rate" else None, "query": "oolong" if kind == "search" else None,
        "product": product and product.public_id,
    }  # fmt: skip
    kept = settings.SHOP_RECO
    settings.SHOP_RECO = {**kept, "SEARCH_DAYS": 9999, "ANONYMOUS_DAYS": 9999, "RETENTION_DAYS": 9999}
    assert record_events(events=[event], shopper=shopper, sender=Sender.SERVER).accepted == 1
    settings.SHOP_RECO = kept
    before = drawn(shopper)
    assert fold_events() == 1
    outcome = record_events(events=[event], shopper=shopper, sender=Sender.SERVER)
    assert [each.code for each in outcome.rejected] == ["TOO_OLD"]
    assert drawn(shopper) == before
    settings.SHOP_RECO = {**kept, "SEARCH_DAYS": 9999, "ANONYMOUS_DAYS": 9999, "RETENTION_DAYS": 9999}
    assert record_events(events=[event], shopper=shopper, sender=Sender.SERVER).accepted == 1
    assert drawn(shopper) != before


@pytest.mark.django_db(transaction=True)
def test_a_portrait_drawn_while_days_are_folded_misses_nothing_and_counts_nothing_twice(shop, busy, monkeypatch):
    monkeypatch.setattr(folding, "EVENTS", 20)
    before, failures = drawn(busy), []

    def fold():
        try:
            fold_events(now=shop.now + dt.timedelta(days=900))
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    folder, seen = threading.Thread(target=fold), set()
    folder.start()
    while folder.is_alive():
        seen.add(drawn(busy))
    folder.join()
    assert failures == []
    assert seen | {drawn(busy)} == {before}
    assert not Event.objects.filter(shopper=busy).exists()


class KilledError(Exception):
    pass


@pytest.mark.parametrize("moment", ["_keep_sums", "locked"])
def test_killed_at_any_moment_nothing_counts_twice_or_is_lost(shop, busy, monkeypatch, moment):
    """Each transaction is killed after the sums, or before them, again and again, until all is folded."""
    before, now = drawn(busy), shop.now
    monkeypatch.setattr(folding, "EVENTS", 40)
    real, calls = getattr(folding, moment), iter(range(1000))

    def dying(*args):
        found = real(*args)
        if next(calls) % 2 == 0:
            raise KilledError
        return found

    monkeypatch.setattr(folding, moment, dying)
    killed = 0
    while True:
        try:
            fold_events(now=now)
            break
        except KilledError:
            killed += 1
            assert drawn(busy) == before
    assert killed > 2
    assert drawn(busy) == before
    assert not Event.objects.filter(folding.too_old(now)).exists()


def test_a_shopper_who_allows_no_portrait_leaves_no_sums(shop, busy):
    decide_consent(shopper=busy, decisions={"personalisation": False}, source="test")
    assert fold_events(now=shop.now) > 50
    assert not FoldedDay.objects.exists()


def test_a_category_that_becomes_sensitive_after_the_folding_is_silent_with_its_brands_and_words(shop, busy):
    drawn(busy)
    fold_events(now=shop.now + dt.timedelta(days=900))
    refresh_dirty()
    assert "Shop > Tea" in json.dumps(Portrait.objects.get(shopper=busy).counts)
    assert set_sensitive(categories=Category.objects.filter(name="Tea"), sensitive=True) == 1
    refresh_dirty()
    counts = Portrait.objects.get(shopper=busy).counts
    assert "Tea" not in json.dumps(counts)
    assert "tea" not in counts["interests"]["keyword"]
    assert "Shop > Soap" in counts["interests"]["category"]


def test_what_is_folded_of_a_sensitive_category_does_not_name_it(shop, busy):
    set_sensitive(categories=Category.objects.filter(name="Tea"), sensitive=True)
    before = drawn(busy)
    fold_events(now=shop.now + dt.timedelta(days=900))
    folded = json.dumps(list(FoldedDay.objects.values_list("counts", flat=True)))
    assert "Tea" not in folded
    assert "keyword:tea" not in folded
    assert "Soap" in folded
    assert drawn(busy) == before


def test_folded_days_are_in_the_export_and_go_with_the_shopper(shop, busy, exported):
    fold_events(now=shop.now)
    assert len(exported(busy)["foldedday"]) == FoldedDay.objects.count() > 0
    assert erase_shopper(shopper=busy).counts["foldedday"] > 0
    assert not FoldedDay.objects.exists()
    assert not Shopper.objects.filter(pk=busy.pk).exists()


def test_a_shopper_with_nothing_old_costs_a_look(shop, person, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert fold_events(now=shop.now) == 0
    refresh_dirty()
    assert portrait_of(shopper=person, now=shop.now).n_events == 8
