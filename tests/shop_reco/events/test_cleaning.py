"""Training and the live history are cleaned alike, whatever stands in the rows."""

from __future__ import annotations

import datetime as dt
import uuid
from types import SimpleNamespace

import pytest
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shop_reco.events.cleaning import clean_events, people_of, training_interactions
from shop_reco.events.drafts import EventDraft
from shop_reco.events.engine import live_history
from shop_reco.events.imports import import_events
from shop_reco.events.models import Event
from shop_reco.products.models import Category, Product
from shop_reco.products.services import ProductDraft, import_products, set_sensitive
from shop_reco.users.models import Shopper, ShopperLink
from shop_reco.users.selectors import linked_ids
from shop_reco.users.services import ShopperDraft, decide_consent, import_consents, import_shoppers
from tests.shop_reco.unchecked import plant

START = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
UNTIL = START + dt.timedelta(days=30)


@pytest.fixture
def corner(db):
    """Four products, one a variant and one sensitive; an account, its visitor and another shopper, all consenting."""
    import_products(
        drafts=[
            ProductDraft(sku="tea", title="Tea", category=("Shop", "Tea")),
            ProductDraft(sku="soap", title="Soap", category=("Shop", "Soap")),
            ProductDraft(sku="soap-big", title="Soap, big", parent_sku="soap"),
            ProductDraft(sku="wine", title="Wine", category=("Shop", "Wine")),
        ]
    )
    set_sensitive(categories=Category.objects.filter(name="Wine"), sensitive=True)
    people = import_shoppers(rows=[ShopperDraft(external_id=name) for name in ("account", "visitor", "other")])
    import_consents(
        shopper_ids=list(people.values()), purposes=["personalisation", "training"], source="test", decided_at=START
    )
    ShopperLink.objects.create(visitor_id=people["visitor"], account_id=people["account"])
    products = dict(Product.objects.values_list("sku", "pk"))
    return SimpleNamespace(people=people, products=products)


def event(corner, who="account", sku="tea", second=0.0, **fields):
    return EventDraft(
        id=fields.pop("id", None) or uuid.uuid4(),
        shopper_id=corner.people[who],
        product_id=corner.products[sku],
        type=fields.pop("type", "view_item"),
        occurred_at=START + dt.timedelta(seconds=second),
        **fields,
    )


def live(corner, who="account"):
    shopper = Shopper.objects.get(pk=corner.people[who])
    history = live_history(shopper_ids=linked_ids(shopper=shopper), at=UNTIL.timestamp())
    return sorted(zip(history.timestamps or [], history.items, history.weights or [], strict=True))


def learnt(corner, who="account"):
    found = training_interactions(until=UNTIL)
    mine = found.user_ids[found.users] == corner.people[who]
    return sorted(
        zip(found.timestamps[mine], found.item_ids[found.items[mine]].tolist(), found.weights[mine], strict=True)
    )


def rules_of(report):
    return {rule["name"]: rule for rule in report["rules"] if rule["dropped"] or rule["changed"]}


DRAWN = st.lists(
    st.tuples(
        st.sampled_from(["account", "visitor", "other"]),
        st.sampled_from(["tea", "soap", "soap-big", "wine"]),
        st.sampled_from(["view_item", "add_to_cart", "purchase", "refund", "rate", "remove_from_cart"]),
        st.sampled_from([0.0, 0.0, 1.0, 3.0, 4.0, 60.0, 3_600.0, 90_000.0]),
        st.integers(1, 3),
        st.sampled_from(["", "", "A", "B"]),
        st.sampled_from([None, "2.50", "3.00"]),
    ),
    min_size=1,
    max_size=30,
)


@given(DRAWN, st.sampled_from([3, 5, 1000]))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_learnt_of_a_shopper_is_what_the_live_history_gives(corner, settings, rows, newest):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "HISTORY_EVENTS": newest}
    Event.objects.all().delete()
    drafts = [
        event(corner, who, sku, second, type=kind, quantity=n, order=order, price=price, rating=4.0)
        for who, sku, kind, second, n, order, price in rows
    ]
    import_events(rows=drafts)
    for who in ("account", "other"):
        assert learnt(corner, who) == live(corner, who)
    assert learnt(corner, "visitor") == []


def test_the_newest_events_are_what_training_learns_from_too(corner, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "HISTORY_EVENTS": 2, "CLEANING": {"bots": {"limits": [(60, 3)]}}}
    import_events(rows=[event(corner, second=1_000.0 * n) for n in range(7)])
    cleaned = clean_events(until=UNTIL)
    assert cleaned.interactions.timestamps.tolist() == [START.timestamp() + 5_000, START.timestamp() + 6_000]
    assert rules_of(cleaned.report)["older_than_history"]["dropped"] == 5
    assert (cleaned.report["rows_in"], cleaned.report["rows_out"]) == (7, 2)


def test_a_shopper_s_events_are_cut_over_chunks_as_within_one(corner, settings, monkeypatch):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "HISTORY_EVENTS": 4, "CLEANING": {"bots": {"limits": [(60, 3)]}}}
    import_events(rows=[event(corner, who, second=1_000.0 * n) for n in range(9) for who in ("other", "account")])
    whole = learnt(corner), learnt(corner, "other")
    monkeypatch.setattr("shop_reco.events.cleaning.CHUNK", 2)
    monkeypatch.setattr("shop_reco.events.cleaning.PEOPLE", 1)
    assert (learnt(corner), learnt(corner, "other")) == whole
    assert len(whole[0]) == len(whole[1]) == 4


def test_one_query_reads_the_live_history(corner, django_assert_num_queries):
    import_events(rows=[event(corner, second=100.0 * n) for n in range(20)])
    with django_assert_num_queries(1):
        live_history(shopper_ids=[corner.people["account"]])


def test_training_asks_so_many_queries_whatever_the_number_of_events(corner, django_assert_max_num_queries):
    import_events(rows=[event(corner, who, second=100.0 * n) for n in range(40) for who in corner.people])
    with django_assert_max_num_queries(4):
        clean_events(until=UNTIL)


def test_each_rule_says_what_it_did_with_ids_to_look_at(corner):
    twin, click, back, bought = (uuid.uuid4() for _ in range(4))
    order = {"order": "A", "price": "2.50"}
    import_events(
        rows=[
            event(corner, second=0.0, id=uuid.UUID(int=1)),
            event(corner, second=3.0, id=click),
            event(corner, sku="soap", second=50.0, type="purchase", id=bought, **order),
            event(corner, sku="soap", second=50.0, type="purchase", id=twin, **order),
            event(corner, sku="soap", second=900.0, type="refund", id=back, **order),
            event(corner, sku="wine", second=950.0),
            event(corner, "other", second=1_000.0, type="purchase"),
        ]
    )
    cleaned = clean_events(until=UNTIL)
    rules = rules_of(cleaned.report)
    assert {name: (rule["dropped"], rule["changed"]) for name, rule in rules.items()} == {
        "exact_duplicates": (1, 0), "near_duplicates": (1, 0), "returns": (2, 0), "sensitive_products": (1, 0),
    }  # fmt: skip
    assert rules["near_duplicates"]["examples"] == [str(click)]
    assert str(back) in rules["returns"]["examples"]
    assert set(rules["exact_duplicates"]["examples"]) < {str(twin), str(bought)}
    assert cleaned.report["missing"]["event_prices"] == {
        "way": "keep", "of": 3, "missing": 1, "filled": 0, "dropped": 0
    }  # fmt: skip
    assert len(cleaned.interactions) == 2


def test_a_rule_that_is_off_lets_its_events_through_in_both(corner, settings):
    import_events(rows=[event(corner, second=0.0), event(corner, second=3.0)])
    assert len(learnt(corner)) == len(live(corner)) == 1
    settings.SHOP_RECO = {**settings.SHOP_RECO, "CLEANING": {"near_duplicates": False}}
    assert len(learnt(corner)) == len(live(corner)) == 2
    settings.SHOP_RECO = {**settings.SHOP_RECO, "CLEANING": {"near_duplicates": {"seconds": 2}}}
    assert len(learnt(corner)) == len(live(corner)) == 2


def test_nothing_is_learnt_from_a_sensitive_product_from_the_moment_it_is_one(corner):
    import_events(rows=[event(corner, sku="soap-big"), event(corner, sku="tea")])
    assert {item for _, item, _ in live(corner)} == {corner.products["soap"], corner.products["tea"]}
    set_sensitive(categories=Category.objects.filter(name="Soap"), sensitive=True)
    assert [item for _, item, _ in live(corner)] == [corner.products["tea"]]
    assert [item for _, item, _ in learnt(corner)] == [corner.products["tea"]]


def test_consent_to_training_is_asked_of_each(corner):
    import_events(rows=[event(corner, who) for who in corner.people])
    decide_consent(shopper=Shopper.objects.get(pk=corner.people["other"]), decisions={"training": False}, source="test")
    assert training_interactions(until=UNTIL).user_ids.tolist() == [corner.people["account"]]
    assert people_of([corner.people["visitor"], corner.people["other"]]) == {
        corner.people["account"], corner.people["other"]
    }  # fmt: skip


def test_nothing_is_learnt_from_events_that_a_clock_set_back_has_left_ahead_until_it_is_their_time(corner):
    import_events(rows=[event(corner, second=0), event(corner, sku="soap", second=60)])
    before = clean_events(until=START + dt.timedelta(seconds=30))
    assert (len(before.interactions), before.interactions.newest) == (1, START.timestamp())
    assert len(training_interactions(until=START + dt.timedelta(seconds=60))) == 2


def test_training_on_nothing_is_a_report_of_nothing(db):
    cleaned = clean_events(until=timezone.now())
    assert len(cleaned.interactions) == cleaned.report["rows_in"] == 0
    assert cleaned.suspicions == []


STRANGE = [
    ("rating", "'NaN'", "9e999", "impossible_ratings"),
    ("rating", "'Infinity'", "9e999", "impossible_ratings"),
    ("rating", "-3", "-3", "impossible_ratings"),
    ("price", "-5", "-5", "impossible_prices"),
    ("price", "'NaN'", "'NaN'", "impossible_prices"),
    ("quantity", "0", "0", "impossible_quantities"),
    ("quantity", "-4", "-4", "impossible_quantities"),
    ("occurred_at", "'infinity'", "'2999-01-01 00:00:00'", "impossible_times"),
    ("occurred_at", "'-infinity'", "'once upon a time'", "impossible_times"),
    ("occurred_at", "'1970-01-01'", "'1970-01-01 00:00:00'", "impossible_times"),
]


@pytest.mark.parametrize(("column", "postgres", "sqlite", "rule"), STRANGE)
def test_a_value_planted_by_sql_is_counted_and_the_good_events_stay(corner, column, postgres, sqlite, rule):
    bad = uuid.uuid4()
    import_events(
        rows=[
            event(corner, "other", second=0.0, type="rate", rating=5.0),
            event(corner, "other", sku="soap", second=9_000.0, type="rate", rating=2.0, price="2.50", id=bad),
        ]
    )
    value = sqlite if connection.vendor == "sqlite" else postgres
    key = bad.hex if connection.vendor == "sqlite" else bad
    plant(f"UPDATE reco_events_event SET {column} = {value} WHERE id = %s", key)
    cleaned = clean_events(until=UNTIL)
    found = rules_of(cleaned.report)
    assert found.keys() == {rule}
    assert found[rule]["examples"] == [str(bad)]
    assert len(cleaned.interactions) == (1 if rule in ("impossible_times", "impossible_quantities") else 2)
    assert len(live(corner, "other")) == len(cleaned.interactions)
    assert learnt(corner, "other") == live(corner, "other")
