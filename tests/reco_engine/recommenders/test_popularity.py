"""Popularity, by hand."""

from __future__ import annotations

import math

import pytest

from reco_engine.data.interactions import Interactions
from reco_engine.recommenders import Popularity
from tests.reco_engine.conftest import DAY


def test_popularity_counts_a_purchase_half_after_a_half_life():
    interactions = Interactions.from_arrays([1, 2], ["old", "new"], [0, 60 * DAY])
    model = Popularity(half_life=60).fit(interactions, at=60 * DAY)
    assert model.scores_.tolist() == pytest.approx([math.log1p(1.0), math.log1p(0.5)])
