"""Bad rows are refused by name."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reco_engine.data.interactions import History, Interactions, codes_of
from reco_engine.errors import BadInputError


@pytest.mark.parametrize(
    ("column", "value"),
    [("timestamps", [math.nan]), ("weights", [math.inf]), ("weights", [-1.0]), ("ratings", [math.nan])],
)
def test_bad_numbers_are_refused_by_name(column, value):
    with pytest.raises(BadInputError, match=column):
        Interactions.from_arrays([1], [1], **{column: value})


def test_ids_of_several_types_hide_no_known_one():
    ids = np.asarray([2, 3, 5])
    assert codes_of(ids, [3, "3", None, True, 2.5, 2**70, 5]).tolist() == [1, -1, -1, -1, -1, -1, 2]
    assert codes_of(ids, ["x", "y"]).tolist() == [-1, -1]


@pytest.mark.parametrize("instant", [math.nan, math.inf])
def test_an_instant_that_is_no_number_is_refused(instant):
    with pytest.raises(BadInputError, match="at must be"):
        Interactions.from_arrays([1], [1], [0]).ages(instant)
    with pytest.raises(BadInputError, match="at must be"):
        History([1], [0.0]).ages(instant)


def test_a_sample_keeps_users_whole_and_bounds_the_pairs_of_their_interactions():
    users = np.repeat(np.arange(50), 4)
    interactions = Interactions.from_arrays(users, np.arange(200))
    some = interactions.sample(10 * 16, np.random.default_rng(0))
    assert some.n_users == 10
    assert np.bincount(some.users).tolist() == [4] * 10
    assert interactions.sample(50 * 16, np.random.default_rng(0)) is interactions
