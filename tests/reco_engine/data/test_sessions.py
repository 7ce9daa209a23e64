"""Visits are told from the times alone, whatever order the events came in."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_engine.data.sessions import session_names, sessions
from reco_engine.errors import BadInputError

EVENTS = st.lists(
    st.tuples(st.sampled_from(["u", "v"]), st.integers(0, 12).map(lambda n: 600.0 * n)), min_size=1, max_size=30
)


def visits(rows):
    """Rows of (user, time, id) as the set of events of each visit, by the visit's name."""
    users, times, ids = zip(*rows, strict=True)
    found = {}
    for row, name in zip(rows, session_names(sessions(users, times, ids), np.asarray(ids)).tolist(), strict=True):
        found.setdefault(name, set()).add(row)
    return found


def test_half_an_hour_of_silence_ends_a_visit_and_a_second_less_does_not():
    found = sessions(["u"] * 4, [0, 1_800, 3_600.5, 9_000], ["a", "b", "c", "d"])
    assert found.first.tolist() == [0, 2, 3]
    assert found.last.tolist() == [1, 2, 3]
    assert found.sizes.tolist() == [2, 1, 1]
    assert found.of.tolist() == [0, 0, 1, 2]
    assert len(found) == 3


def test_a_late_event_in_the_gap_joins_two_visits_under_the_name_of_the_first():
    two = visits([("u", 0.0, "x"), ("u", 3_000.0, "a")])
    assert two.keys() == {"x", "a"}
    one = visits([("u", 0.0, "x"), ("u", 3_000.0, "a"), ("u", 1_500.0, "m")])
    assert one.keys() == {"x"}


def test_shoppers_at_the_same_time_are_not_in_one_visit():
    assert len(sessions(["u", "v", "u"], [0, 1, 2], ["a", "b", "c"])) == 2


def test_no_events_make_no_visits():
    assert len(sessions([], [], [])) == 0


@pytest.mark.parametrize("time", [math.nan, math.inf])
def test_a_time_that_is_none_is_refused(time):
    with pytest.raises(BadInputError, match="timestamps"):
        sessions(["u"], [time], ["a"])


def test_columns_of_other_lengths_are_refused():
    with pytest.raises(BadInputError, match="one length"):
        sessions(["u", "u"], [1.0], ["a"])


@given(EVENTS, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_any_order_of_arrival_gives_the_same_visits(events, random):
    rows = [(user, time, f"e{n}") for n, (user, time) in enumerate(events)]
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert visits(shuffled) == visits(rows)


@given(EVENTS)
@settings(max_examples=60, deadline=None)
def test_visits_part_the_events_where_it_was_silent_and_nowhere_else(events):
    rows = [(user, time, f"e{n}") for n, (user, time) in enumerate(events)]
    found = visits(rows)
    assert sorted(row for visit in found.values() for row in visit) == sorted(rows)
    for name, visit in found.items():
        times = sorted(time for _, time, _ in visit)
        assert len({user for user, _, _ in visit}) == 1
        assert all(later - earlier <= 1_800 for earlier, later in itertools.pairwise(times))
        assert name == min(visit, key=lambda row: (row[1], row[2]))[2]
    for one in found.values():
        for other in found.values():
            if one is not other and next(iter(one))[0] == next(iter(other))[0]:
                gaps = [abs(a[1] - b[1]) for a in one for b in other]
                assert min(gaps) > 1_800


@given(EVENTS, st.integers(0, 29))
@settings(max_examples=60, deadline=None)
def test_a_late_event_never_parts_what_was_one_visit(events, late):
    rows = [(user, time, f"e{n}") for n, (user, time) in enumerate(events)]
    without = [row for n, row in enumerate(rows) if n != late % len(rows)]
    if without:
        after = {row: name for name, visit in visits(rows).items() for row in visit}
        for visit in visits(without).values():
            assert len({after[row] for row in visit}) == 1
