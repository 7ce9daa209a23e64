"""What is typical of a group is what it does more than the rest, never what it just does more of, and of enough."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reco_engine.portrait.typical import Typical, typical

PAIRS = st.sets(st.tuples(st.integers(0, 39), st.integers(0, 5)), max_size=200)
"""Shoppers and things; the shopper's number says the group: below 15 of the first, below 30 of the second, else of
none."""


def of(pairs, *, least=5, most=8):
    rows = np.asarray(sorted(pairs), np.int64).reshape(-1, 2)
    groups = np.where(rows[:, 0] < 15, 0, np.where(rows[:, 0] < 30, 1, -1))
    return typical(groups, rows[:, 1], n_groups=2, least=least, most=most)


def all_of(shoppers, *things):
    return {(who, what) for who in shoppers for what in things}


def test_the_lift_is_the_share_in_the_group_over_the_share_in_the_shop():
    pairs = all_of(range(15), 0, 1) | all_of(range(15, 30), 1, 2) | all_of(range(15, 21), 0)
    first, _second = of(pairs)
    # of the group's 30 pairs 15 are of thing 0, and 21 of the shop's 66
    assert first == (Typical(0, 15, 1.6),)


def test_a_group_that_does_more_of_everything_is_typical_of_nothing():
    few = all_of(range(15, 18), 0, 1, 2) | all_of(range(18, 21), 0, 1, 2)
    assert of(all_of(range(15), 0, 1, 2) | few) == ((), ())


def test_what_may_be_chance_is_not_told():
    pairs = all_of(range(7), 0) | all_of(range(7, 15), 1) | all_of(range(15, 20), 0) | all_of(range(20, 30), 1)
    assert of(pairs) == ((), ())


def test_those_of_no_group_count_for_the_shop():
    pairs = all_of(range(15), 0) | all_of(range(15, 30), 1)
    alone, beside = of(pairs)[0], of(pairs | all_of(range(30, 40), 1))[0]
    assert beside[0].lift > alone[0].lift


def test_the_surest_come_first_and_no_more_than_asked_for():
    pairs = all_of(range(15), 0) | all_of(range(9), 1) | all_of(range(15, 30), 2, 3, 4)
    assert [each.thing for each in of(pairs)[0]] == [0, 1]
    assert [each.thing for each in of(pairs, most=1)[0]] == [0]


@given(pairs=PAIRS)
def test_nothing_is_told_that_fewer_than_five_shoppers_of_the_group_stand_behind(pairs):
    for place, told in enumerate(of(pairs)):
        for each in told:
            people = {who for who, what in pairs if what == each.thing and who // 15 == place}
            assert len(people) == each.n >= 5


@given(pairs=PAIRS, few=st.integers(0, 4))
def test_a_lift_does_not_say_how_many_of_less_than_five_others_there_are(pairs, few):
    """The rest of the shop does as much, so many or none of it with this thing."""
    mine = all_of(range(15), 9)
    rest = {(who, what) for who, what in pairs if who >= 15} | all_of(range(30, 40), 5)
    elsewhere = {(15 + place, 6) for place in range(4)}
    moved = {(15 + place, 9 if place < few else 6) for place in range(4)}
    assert of(mine | rest | elsewhere)[0] == of(mine | rest | moved)[0]


def test_an_empty_shop_has_nothing_typical():
    assert of(set()) == ((), ())


def test_arrays_that_do_not_fit_and_a_floor_of_nobody_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        typical(np.zeros(3, np.int64), np.zeros(2, np.int64), n_groups=1, least=5, most=8)
    with pytest.raises(ValueError, match="least"):
        typical(np.zeros(3, np.int64), np.zeros(3, np.int64), n_groups=1, least=0, most=8)
