"""Cleaning: what is thrown away is counted, by rule, with rows to look at."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_engine.data.bots import Bots
from reco_engine.data.cleaning import clean
from reco_engine.data.cleaning_rules import (
    DailyCap,
    ExactDuplicates,
    ImpossibleTimes,
    ImpossibleValues,
    MissingPrices,
    NearDuplicates,
    UnknownProducts,
    usual_rules,
)
from reco_engine.data.events import EventBatch
from reco_engine.errors import BadInputError

NOW = 1_700_000_000.0
NAN, INF = math.nan, math.inf


def batch(*rows, **columns):
    """Rows of (user, item, type, seconds before now)."""
    users, items, types, ages = zip(*rows, strict=True)
    return EventBatch.from_arrays(users, items, types, [NOW - age for age in ages], **columns)


def test_the_report_counts_rows_in_and_out_and_names_a_few_of_those_dropped():
    events = batch(*[("u", f"x{n}", "view_item", 10 * n) for n in range(8)], ("u", "a", "view_item", 500))
    cleaned, report = clean(events, [ImpossibleTimes(), UnknownProducts(np.asarray(["a"]))], at=NOW)
    assert cleaned.items.tolist() == ["a"]
    assert (report.rows_in, report.rows_out) == (9, 1)
    assert report.dropped == {"impossible_times": 0, "unknown_products": 8}
    assert report.rules[1].dropped_rows == (0, 1, 2, 3, 4)
    assert json.loads(json.dumps(report.as_dict()))["rules"][1]["dropped"] == 8
    assert str(report).splitlines() == [
        "9 events in, 1 out",
        "impossible_times: dropped 0, changed 0",
        "unknown_products: dropped 8, changed 0 (rows 0, 1, 2, 3, 4)",
    ]


def test_rows_are_those_of_what_was_given_after_other_rules_too():
    events = batch(("u", "gone", "view_item", 9), ("u", "a", "rate", 8), ratings=[NAN, 11.0])
    rules = [UnknownProducts(np.asarray(["a"])), ImpossibleValues("ratings", 1, 5, action="drop")]
    _, report = clean(events, rules, at=NOW)
    assert [rule.dropped_rows for rule in report.rules] == [(0,), (1,)]


def test_the_second_of_two_equal_events_is_dropped_even_with_unknown_values():
    events = batch(
        ("u", "a", "purchase", 9), ("u", "a", "purchase", 9), ("u", "a", "purchase", 9), ("v", "a", "purchase", 9),
        prices=[5.0, NAN, NAN, NAN], orders=["1", "1", "1", "1"],
    )  # fmt: skip
    cleaned, report = clean(events, [ExactDuplicates()], at=NOW)
    assert cleaned.rows.tolist() == [0, 1, 3]
    assert report.rules[0].dropped_rows == (2,)


def test_of_a_burst_of_clicks_the_first_stays_and_a_later_visit_does():
    events = batch(*[("u", "a", "view_item", age) for age in (20, 97, 94, 100, 91)])
    cleaned, _ = clean(events, [NearDuplicates(seconds=3)], at=NOW)
    assert (NOW - cleaned.timestamps).tolist() == [20, 100]


def test_two_pieces_put_in_the_basket_a_moment_apart_are_two_where_what_they_say_differs():
    events = batch(("u", "a", "add_to_cart", 2), ("u", "a", "add_to_cart", 1), quantities=[1, 2])
    assert len(clean(events, [NearDuplicates()], at=NOW)[0]) == 2


@pytest.mark.parametrize(("age", "stays"), [(0, True), (-86_400, True), (-86_401, False), (NOW - 1, False)])
def test_times_far_in_the_future_or_before_any_shop_are_dropped(age, stays):
    assert len(clean(batch(("u", "a", "view_item", age)), [ImpossibleTimes()], at=NOW)[0]) == stays


@pytest.mark.parametrize("time", [NAN, INF, -INF])
def test_times_that_are_none_are_dropped(time):
    events = EventBatch.from_arrays(["u"], ["a"], ["view_item"], [time])
    assert len(clean(events, [ImpossibleTimes()], at=NOW)[0]) == 0


def test_an_impossible_price_becomes_unknown_and_its_event_stays():
    events = batch(*[("u", n, "purchase", n) for n in range(5)], prices=[-1, INF, 3, NAN, 101])
    cleaned, report = clean(events, [ImpossibleValues("prices", 0, 100)], at=NOW)
    np.testing.assert_array_equal(cleaned.prices, [NAN, NAN, 3, NAN, NAN])
    assert report.changed == {"impossible_prices": 3}
    assert report.rules[0].changed_rows == (0, 1, 4)
    assert report.dropped == {"impossible_prices": 0}
    assert str(report).endswith("impossible_prices: dropped 0, changed 3 (rows 0, 1, 4)")


def test_a_range_without_room_is_refused():
    with pytest.raises(BadInputError, match="ratings"):
        ImpossibleValues("ratings", 5, 1)


def test_a_shopper_faster_than_people_is_dropped_whole_and_a_busy_one_is_not():
    fast = [("bot", n, "view_item", 1000 - n) for n in range(11)]
    busy = [("person", n, "view_item", 1000 - n) for n in range(10)]
    slow = [("patient", n, "view_item", 9 * n) for n in range(30)]
    events = batch(*fast, *busy, *slow, ("bot", 99, "purchase", 9_999))
    cleaned, report = clean(events, [Bots(limits=((60, 10),))], at=NOW)
    assert set(cleaned.users) == {"person", "patient"}
    assert report.dropped == {"bots": 12}


def test_a_full_basket_is_one_act():
    rows = [("u", n, "purchase", 5) for n in range(50)]
    assert len(clean(batch(*rows, orders=["7"] * 50), [Bots(limits=((60, 10),))], at=NOW)[0]) == 50
    assert len(clean(batch(*rows), [Bots(limits=((60, 10),))], at=NOW)[0]) == 0


def test_a_bot_is_told_by_its_newest_burst_in_the_shortest_window():
    early = [("bot", n, "view_item", 9_000 - n) for n in range(12)]
    late = [("bot", n, "view_item", 1_000 - n) for n in range(15)]
    person = [("person", n, "view_item", 600 * n) for n in range(30)]
    (burst,) = Bots(limits=((60, 10), (3_600, 11))).bursts(batch(*early, *late, *person))
    assert (burst.user, burst.seconds, burst.acts, burst.most) == ("bot", 60, 15, 10)
    assert burst.ended == NOW - 986
    assert Bots(limits=((60, 10),)).depth == 11


@pytest.mark.parametrize("limits", [(), ((60,),), ((0, 5),), ((60, 0),)])
def test_a_limit_that_makes_no_sense_is_refused(limits):
    with pytest.raises(BadInputError, match="limits"):
        Bots(limits=limits)


def test_on_one_day_one_item_counts_so_much_and_the_weightiest_events_first():
    day = 86_400.0
    rows = [("u", "a", "view_item", NOW % day + day - 100 * n) for n in range(5)]
    rows += [("u", "a", "purchase", NOW % day + day - 9_000), ("u", "b", "view_item", NOW % day + day)]
    rows += [("v", "a", "view_item", NOW % day + day), ("u", "a", "view_item", NOW % day + 2 * day)]
    weights = {"view_item": 0.3, "purchase": 1.0}
    cleaned, report = clean(batch(*rows), [DailyCap(weights, weight=1.7)], at=NOW)
    assert report.dropped == {"daily_cap": 2}
    assert report.changed == {"daily_cap": 1}
    mine = (cleaned.users == "u") & (cleaned.items == "a") & (cleaned.timestamps >= NOW - NOW % day - day)
    assert cleaned.rows[mine].tolist() == [0, 1, 2, 5]
    np.testing.assert_allclose(cleaned.shares[mine], [1, 1, 1 / 3, 1])
    assert cleaned.interactions(weights).weights.sum() == pytest.approx(1.7 + 0.3 * 3)


def test_what_counts_nothing_is_left_alone_by_the_cap():
    rows = [("u", "a", "search", 10 * n) for n in range(9)]
    cleaned, report = clean(batch(*rows), [DailyCap({"purchase": 1.0})], at=NOW)
    assert len(cleaned) == 9
    assert report.changed == {"daily_cap": 0}


def test_a_purchase_without_a_price_stays_unless_the_shop_says_drop():
    events = batch(("u", "a", "purchase", 2), ("u", "b", "view_item", 1), prices=[NAN, NAN])
    assert len(clean(events, [MissingPrices()], at=NOW)[0]) == 2
    assert clean(events, [MissingPrices("drop")], at=NOW)[0].items.tolist() == ["b"]


def test_the_usual_rules_find_one_of_each_fault_and_leave_the_rest():
    good = [("u", "a", "view_item", 5_000), ("u", "b", "purchase", 4_000), ("v", "b", "rate", 10)]
    bad = [
        ("u", "a", "view_item", 5_000),  # again
        ("u", "a", "view_item", 4_998),  # a double click
        ("u", "zz", "view_item", 3_000),  # unknown
        ("u", "b", "refund", 2_000),  # undoes one of two pieces
        ("u", "b", "purchase", 1_000),  # no piece at all
        ("v", "a", "view_item", -999_999),  # tomorrow's week
    ]
    bot = [("bot", "a", "view_item", 100_000 - n / 10) for n in range(101)]
    quantities = [NAN, 2, NAN, NAN, NAN, NAN, 1, 0, NAN, *[NAN] * 101]
    events = batch(*good, *bad, *bot, quantities=quantities, ratings=[NAN, NAN, 77, *[NAN] * 107])
    cleaned, report = clean(events, usual_rules(["b", "a"]), at=NOW)
    assert report.dropped == {
        "impossible_times": 1, "exact_duplicates": 1, "bots": 101, "unknown_products": 1, "near_duplicates": 1,
        "returns": 1, "impossible_quantities": 1, "impossible_prices": 0, "impossible_ratings": 0,
    }  # fmt: skip
    assert report.changed["returns"] == report.changed["impossible_ratings"] == 1
    assert cleaned.rows.tolist() == [0, 1, 2]
    assert cleaned.quantities[1] == 1
    assert np.isnan(cleaned.ratings[2])


def test_without_a_catalogue_no_product_is_unknown():
    assert "unknown_products" not in [rule.name for rule in usual_rules()]


def test_nothing_in_is_nothing_out():
    cleaned, report = clean(EventBatch.from_arrays([], [], [], []), usual_rules(["a"]), at=NOW)
    assert len(cleaned) == report.rows_in == report.rows_out == sum(report.dropped.values()) == 0


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["u", "v", "w"]),
        st.sampled_from(["a", "b", "unknown"]),
        st.sampled_from(["view_item", "purchase", "refund"]),
        st.sampled_from([-(10.0**7), 0.0, 1.0, 2.0, 4.0, 60.0, NOW]),
        st.sampled_from([NAN, INF, -1.0, 0.0, 1.0, 3.0]),
    ),
    min_size=1,
    max_size=40,
)


@given(EVENTS)
@settings(max_examples=60, deadline=None)
def test_a_live_history_is_cleaned_as_it_is_among_the_training_data(rows):
    rules = (*usual_rules(["a", "b"]), Bots(limits=((3, 4),)), DailyCap({"view_item": 0.3, "purchase": 1.0}, 1.2))
    users, items, types, ages, quantities = zip(*rows, strict=True)
    events = EventBatch.from_arrays(users, items, types, [NOW - age for age in ages], quantities)
    together, _ = clean(events, rules, at=NOW)
    for user in set(users):
        alone, report = clean(events.where(events.users == user), rules, at=NOW)
        mine = together.where(together.users == user)
        assert alone.rows.tolist() == mine.rows.tolist()
        np.testing.assert_array_equal(alone.quantities, mine.quantities)
        np.testing.assert_array_equal(alone.shares, mine.shares)
        assert report.rows_in - sum(report.dropped.values()) == report.rows_out


@given(EVENTS)
@settings(max_examples=60, deadline=None)
def test_what_was_cleaned_of_repeats_has_none_left(rows):
    users, items, types, ages, quantities = zip(*rows, strict=True)
    events = EventBatch.from_arrays(users, items, types, [NOW - age for age in ages], quantities)
    rules = [ImpossibleTimes(), ExactDuplicates(), NearDuplicates(seconds=2)]
    once, _ = clean(events, rules, at=NOW)
    assert sum(clean(once, rules, at=NOW)[1].dropped.values()) == 0
    kept = set(zip(once.users, once.items, once.types, once.quantities.astype(str), strict=True))
    sane = clean(events, rules[:1], at=NOW)[0]
    assert kept == set(zip(sane.users, sane.items, sane.types, sane.quantities.astype(str), strict=True))
