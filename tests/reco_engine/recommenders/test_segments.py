"""Segments as codes, and what each takes."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.data.interactions import Interactions
from reco_engine.errors import BadInputError
from reco_engine.recommenders.segments import codes_per_interaction, takers_by_segment

LINES = Interactions.from_arrays([1, 1, 2, 3], ["a", "b", "a", "a"])


def test_users_share_the_code_of_their_segment_and_some_have_none():
    names, codes = codes_per_interaction(LINES, {1: 10, 2: 9, 3: None})
    assert names.tolist() == ["10", "9"]  # sorted as text, as a history's segment is looked up
    assert dict(zip(LINES.user_ids[LINES.users].tolist(), codes.tolist(), strict=True)) == {1: 0, 2: 1, 3: -1}


@pytest.mark.parametrize("given", [None, {}, [None] * 4])
def test_without_a_segment_nobody_has_a_code(given):
    names, codes = codes_per_interaction(LINES, given)
    assert names.size == 0
    assert codes.tolist() == [-1] * 4


def test_an_array_and_a_list_of_segments_say_the_same():
    values = np.asarray(["x", "y", "x", "z"])
    (names, codes), (same_names, same_codes) = (
        codes_per_interaction(LINES, given) for given in (values, values.tolist())
    )
    assert names.tolist() == same_names.tolist() == ["x", "y", "z"]
    assert codes.tolist() == same_codes.tolist() == [0, 1, 0, 2]


def test_segments_of_another_length_are_refused():
    with pytest.raises(BadInputError, match="one value per interaction: 4, not 3"):
        codes_per_interaction(LINES, ["x", "y", "x"])


def test_a_user_in_two_segments_is_a_taker_in_both_and_once_in_each():
    lines = Interactions.from_arrays([1, 1, 1], ["a", "a", "a"], [0, 1, 2])
    takers = takers_by_segment(lines, np.ones(3), np.asarray([0, 1, 1]), 2)
    assert takers.toarray().tolist() == [[1.0], [1.0]]
