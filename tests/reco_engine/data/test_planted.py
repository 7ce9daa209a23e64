"""Every planted fault is found by the rule that is for it, and no good row is touched."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_engine.data.cleaning import clean
from reco_engine.data.cleaning_rules import DailyCap, usual_rules
from tests.reco_engine.data.planted import ITEMS, NOW, WEIGHTS, planted

RULES = (*usual_rules(ITEMS), DailyCap(WEIGHTS))


def rows_by_rule(events):
    """Rows that each rule drops and changes, one rule after the other."""
    dropped, changed = {}, {}
    for rule in RULES:
        outcome = rule(events, NOW)
        for found, mask in ((dropped, ~outcome.keep), (changed, outcome.changed & outcome.keep)):
            if mask.any():
                found[rule.name] = set(events.rows[mask].tolist())
        events = outcome.events.where(outcome.keep)
    return dropped, changed


@given(
    seed=st.integers(0, 2**32 - 1),
    n_shoppers=st.integers(6, 20),
    n_events=st.integers(30, 90),
    n_faults=st.integers(1, 3),
)
@settings(max_examples=40, deadline=None)
def test_each_fault_is_found_by_its_rule_and_nothing_else_is(seed, n_shoppers, n_events, n_faults):
    log = planted(seed=seed, n_shoppers=n_shoppers, n_events=n_events, n_faults=n_faults)
    dropped, changed = rows_by_rule(log.events)
    assert dropped == log.dropped
    assert changed == log.changed


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_the_report_counts_what_was_planted_and_good_rows_keep_what_they_say(seed):
    log = planted(seed=seed)
    cleaned, report = clean(log.events, RULES, at=NOW)
    assert {name: n for name, n in report.dropped.items() if n} == {
        rule: len(rows) for rule, rows in log.dropped.items()
    }
    assert {name: n for name, n in report.changed.items() if n} == {
        rule: len(rows) for rule, rows in log.changed.items()
    }
    for rule in report.rules:
        assert set(rule.dropped_rows) <= log.dropped.get(rule.name, set())
        assert set(rule.changed_rows) <= log.changed.get(rule.name, set())
    good = ~np.isin(cleaned.rows, [row for rows in log.changed.values() for row in rows])
    given_ = log.events.where(np.isin(log.events.rows, cleaned.rows))
    for column in ("users", "items", "types", "timestamps", "quantities", "prices", "ratings", "orders", "shares"):
        np.testing.assert_array_equal(getattr(cleaned, column)[good], getattr(given_, column)[good])


@pytest.mark.parametrize("name", ["unknown_products", "bots", "impossible_quantities", "daily_cap"])
def test_with_its_rule_left_out_a_fault_stays(name):
    log = planted(seed=7)
    cleaned, _ = clean(log.events, [rule for rule in RULES if rule.name != name], at=NOW)
    assert log.dropped[name] <= set(cleaned.rows.tolist())
