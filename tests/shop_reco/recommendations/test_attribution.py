"""What a list is credited with, worked out by hand."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shop_reco.recommendations.attribution import Answers, ServedList, shares_of

DAY = 86_400.0
TEA, SOAP, CHEESE = 1, 2, 3
HOME = uuid.UUID(int=1)


def reason(source, points, kind="HISTORY_ITEM"):
    return {"kind": kind, "points": points, "source": source}


def item(product, *reasons):
    return {"product": product, "reasons": list(reasons)}


@pytest.fixture
def answers():
    return Answers(days=7)


def counted(answers):
    """Counts by recommender of a list with tea by item CF and content, three to one, and soap by item CF alone."""
    items = [item(TEA, reason("item_cf", 0.75), reason("content", 0.25)), item(SOAP, reason("item_cf", 0.5))]
    answers.credit(HOME, ServedList.of("home", "personal", 0.0, items))
    return {name: counts for (_, _, name), counts in answers.counts.items()}


def whole(answers):
    return counted(answers)[""]


def test_a_list_nobody_looked_at_is_served_and_not_seen(answers):
    assert whole(answers) == [1, 0, 0, 0]


def test_a_list_that_was_looked_at_is_seen(answers):
    answers.see(HOME)
    assert whole(answers) == [1, 1, 0, 0]


def test_lists_add_up(answers):
    answers.see(HOME)
    whole(answers)
    assert whole(answers) == [2, 2, 0, 0]


def test_a_purchase_counts_for_seven_days_after_the_click(answers):
    answers.click(HOME, TEA, 1 * DAY)
    answers.buy(TEA, 8 * DAY)
    assert whole(answers) == [1, 1, 1, 1]


@pytest.mark.parametrize("bought", [8 * DAY + 1, 1 * DAY - 1])
def test_a_purchase_before_the_click_or_too_late_after_it_is_not_the_lists(answers, bought):
    answers.click(HOME, TEA, 1 * DAY)
    answers.buy(TEA, bought)
    assert whole(answers) == [1, 1, 1, 0]


def test_a_purchase_without_a_click_or_of_another_product_is_not_the_lists(answers):
    answers.click(HOME, TEA, 1 * DAY)
    answers.buy(SOAP, 2 * DAY)
    assert whole(answers) == [1, 1, 1, 0]


def test_what_is_done_twice_counts_once(answers):
    for at in (1 * DAY, 2 * DAY):
        answers.click(HOME, TEA, at)
        answers.buy(TEA, at + 60)
    assert whole(answers) == [1, 1, 1, 1]


def test_a_click_on_what_the_list_did_not_have_or_on_another_list_is_not_its(answers):
    answers.click(HOME, CHEESE, 1 * DAY)
    answers.click(uuid.UUID(int=2), TEA, 1 * DAY)
    assert whole(answers) == [1, 0, 0, 0]


def test_a_click_long_after_the_list_is_not_its(answers):
    answers.click(HOME, TEA, 7 * DAY + 1)
    assert whole(answers) == [1, 0, 0, 0]


def test_recommenders_earn_by_their_share_of_the_points(answers):
    answers.click(HOME, TEA, 1 * DAY)
    answers.buy(TEA, 2 * DAY)
    counts = counted(answers)
    # of the list: (3/4 + 1) / 2 and (1/4 + 0) / 2; of the tea: 3/4 and 1/4
    assert counts["item_cf"] == [0.875, 0.875, 0.75, 0.75]
    assert counts["content"] == [0.125, 0.125, 0.25, 0.25]


def test_points_below_zero_earn_nothing_and_a_rule_earns_its_own():
    told = [reason("item_cf", 0.5), reason("popularity", -0.2, "DISLIKE"), reason("", 0.5, "RULE")]
    assert shares_of(told) == {"item_cf": 0.5, "rule": 0.5}


def test_an_old_list_that_does_not_say_who_found_a_product_is_nobodys():
    assert shares_of([{"kind": "POPULAR", "points": 0.4}]) == {"other": 1}
    assert shares_of([]) == {"other": 1}


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(-1e9, 1e9)), max_size=9))
def test_shares_sum_to_exactly_one(told):
    shares = shares_of([reason(name, points) for name, points in told])
    assert sum(shares.values()) == 1
    assert min(shares.values()) > 0
