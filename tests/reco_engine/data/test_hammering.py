"""Many new shoppers on one item are told from what a shop sees every day."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_engine.data.hammering import DAY, Hammering
from reco_engine.data.interactions import Interactions
from reco_engine.errors import BadInputError

NOW = 1_700_000_000.0
N_ITEMS = 150
TARGET = 140


def shop(seed=0, *, regulars=400, passers=0):
    """Rows of (user, item, time): regulars over 90 days, and passers-by who look at one item or two, once."""
    rng = np.random.default_rng(seed)
    chances = 1.0 / np.arange(1, N_ITEMS + 1) ** 0.8
    chances /= chances.sum()
    rows = []
    for n in range(regulars):
        size = int(rng.integers(5, 25))
        times = NOW - rng.uniform(0, 90 * DAY, size)
        rows += [(f"r{n}", int(item), t) for item, t in zip(rng.choice(N_ITEMS, size, p=chances), times, strict=True)]
    for n in range(passers):
        time = NOW - rng.uniform(0, 90 * DAY)
        items = rng.choice(N_ITEMS, int(rng.integers(1, 3)), p=chances)
        rows += [(f"p{n}", int(item), time + 60 * k) for k, item in enumerate(items)]
    return rows


def fakes(n, *, others=0, days=1.0, seed=1, age=3.0):
    """New shoppers who look at the target three times, and each of ``others`` items once."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(n):
        start = NOW - age * DAY - rng.uniform(0, days * DAY)
        rows += [(f"fake{k}", TARGET, start + 100 * m) for m in range(3)]
        rows += [(f"fake{k}", int(item), start + 1_000 + 10 * m) for m, item in enumerate(rng.choice(20, others))]
    return rows


def found(rows, **settings_):
    users, items, times = zip(*rows, strict=True)
    return Hammering(**settings_).suspects(Interactions.from_arrays(users, items, times), at=NOW)


@pytest.mark.parametrize("passers", [0, 3_000])
def test_the_group_is_found_whole_and_nobody_else(passers):
    suspects = found(shop(passers=passers) + fakes(60))
    assert {suspect.user for suspect in suspects} == {f"fake{k}" for k in range(60)}
    assert {suspect.item for suspect in suspects} == {TARGET}
    one = suspects[0]
    assert (one.events, one.others) == (3, 0)
    assert one.shoppers <= 60
    assert one.deviations >= 6
    assert one.expected < one.shoppers
    assert one.began < one.newest <= one.ended


def test_a_group_that_hides_behind_other_items_is_found_among_regulars():
    suspects = found(shop() + fakes(40, others=12))
    assert {suspect.user for suspect in suspects} == {f"fake{k}" for k in range(40)}


def test_a_group_that_takes_a_week_for_it_is_found_by_the_longer_window():
    rows = shop() + fakes(40, days=6.0, age=8.0)
    assert len(found(rows, windows=(7.0, 28.0))) == 40
    assert len(found(rows, windows=(0.25,))) < 40


@pytest.mark.parametrize("passers", [0, 500, 3_000])
def test_without_an_attack_nobody_is_found(passers):
    for seed in range(3):
        assert found(shop(seed, passers=passers)) == []


def test_what_becomes_popular_with_everybody_is_no_attack():
    rng = np.random.default_rng(3)
    liked = [(f"r{n}", TARGET, NOW - 2 * DAY - float(rng.uniform(0, DAY))) for n in range(200)]
    passing = [(f"q{n}", TARGET, NOW - 2 * DAY - float(rng.uniform(0, DAY))) for n in range(100)]
    assert found(shop(passers=3_000) + liked + passing) == []


def test_few_are_never_a_group():
    assert found(shop() + fakes(4)) == []


def test_a_shop_of_newcomers_only_has_nobody_to_compare_them_with():
    assert found([(f"n{k}", k % 3, NOW - 60.0 * k) for k in range(300)]) == []


def test_undated_and_empty_data_have_no_suspects():
    assert Hammering().suspects(Interactions.from_arrays(["u"], ["a"]), at=NOW) == []
    assert Hammering().suspects(Interactions.from_arrays([], [], []), at=NOW) == []


@pytest.mark.parametrize("wrong", [{"windows": ()}, {"windows": (0.0,)}, {"share": 0.0}, {"least": 0}, {"life": -1.0}])
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(BadInputError):
        Hammering(**wrong)


@given(seed=st.integers(0, 10_000), n=st.integers(30, 80))
@settings(max_examples=8, deadline=None)
def test_the_order_of_the_rows_makes_no_difference(seed, n):
    rows = shop(seed, regulars=150) + fakes(n, seed=seed)
    shuffled = [rows[k] for k in np.random.default_rng(seed).permutation(len(rows))]
    assert found(rows) == found(shuffled)
