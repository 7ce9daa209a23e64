"""Rules by name: each can be switched and set, and a wrong name is told with the right ones."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.data.cleaning_settings import RULES, faults, rule_of, settings_of, shopper_rules
from reco_engine.data.filling import Mean

TYPES = {"purchase": 7, "refund": 8}
USUAL = (
    "exact_duplicates", "near_duplicates", "returns", "impossible_quantities", "impossible_prices",
    "impossible_ratings", "event_prices", "daily_cap",
)  # fmt: skip


def names(given):
    return tuple(rule.name for rule in shopper_rules(given, weights={7: 1.0}, types=TYPES))


def test_without_a_word_every_rule_about_one_shopper_is_on():
    assert names({}) == USUAL


@pytest.mark.parametrize("name", USUAL)
def test_each_of_them_can_be_switched_off(name):
    assert names({name: False}) == tuple(each for each in USUAL if each != name)


def test_a_rule_has_the_settings_given_and_its_usual_ones():
    assert rule_of({"near_duplicates": {"seconds": 2}}, "near_duplicates").seconds == 2
    assert rule_of({}, "near_duplicates").seconds == 5.0
    assert settings_of({"hammering": {"least": 9}}, "hammering") == {**RULES["hammering"].usual, "least": 9}
    assert settings_of({"bots": False}, "bots") is None
    assert rule_of({"bots": False}, "bots") is None


def test_the_batch_s_own_names_of_types_reach_the_rules():
    returns = next(rule for rule in shopper_rules({}, weights={7: 1.0}, types=TYPES) if rule.name == "returns")
    assert (returns.purchases, returns.refunds) == ((7,), (8,))


def test_what_every_rule_has_by_default_is_no_fault():
    assert faults(dict.fromkeys(RULES, True)) == []
    assert faults({name: dict(choice.usual) for name, choice in RULES.items()}) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"near_duplicate": False}, "near_duplicates"),
        ({"near_duplicates": {"minutes": 1}}, "known ones: seconds"),
        ({"near_duplicates": {"seconds": "5"}}, "must be a number"),
        ({"near_duplicates": {"seconds": -1}}, "zero or more"),
        ({"returns": {"days": 30}}, "it has none"),
        ({"bots": 5}, "must be True, False or its settings"),
        ({"bots": {"limits": [(60, 0)]}}, "most acts"),
        ({"event_prices": {"missing": "guess"}}, "keep, drop"),
        ({"product_prices": {"missing": "median"}}, "keep, mean, prediction"),
        ({"daily_cap": {"weight": 0}}, "above zero"),
        ({"hammering": {"share": 2}}, "share"),
        ({"impossible_ratings": {"lowest": 9}}, "lowest of ratings"),
    ],
)
def test_what_is_wrong_is_told_with_what_would_be_right(given, told):
    (text,) = faults(given)
    assert told in text
    assert next(iter(given)) in text


def test_a_mean_by_category_knows_nothing_of_a_category_without_values():
    columns = {"price": np.asarray([2.0, 4.0, np.nan, np.nan]), "kind": np.asarray(["tea", "tea", "tea", "soap"])}
    filled = Mean(by="kind").fit(columns, "price", seed=0)(columns)
    np.testing.assert_array_equal(filled, [3.0, 3.0, 3.0, np.nan])
