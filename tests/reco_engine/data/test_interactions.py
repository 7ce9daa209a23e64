"""Bad rows are refused by name."""

from __future__ import annotations

import math

import pytest

from reco_engine.data.interactions import Interactions
from reco_engine.errors import BadInputError


@pytest.mark.parametrize(
    ("column", "value"),
    [("timestamps", [math.nan]), ("weights", [math.inf]), ("weights", [-1.0]), ("ratings", [math.nan])],
)
def test_bad_numbers_are_refused_by_name(column, value):
    with pytest.raises(BadInputError, match=column):
        Interactions.from_arrays([1], [1], **{column: value})
