"""Interest halves."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.data.decay import half_life_weights


def test_interest_halves_with_every_half_life():
    assert half_life_weights(np.asarray([0.0, 30.0, 60.0]), 30.0).tolist() == [1, 0.5, 0.25]


def test_a_half_life_of_no_time_is_refused():
    with pytest.raises(ValueError, match="half_life"):
        half_life_weights(np.asarray([1.0]), 0.0)
