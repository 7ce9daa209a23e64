"""The blend learns whom to trust."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.ranking.fitting import listwise_weights


def test_the_part_that_finds_what_was_taken_gets_the_weight():
    rng = np.random.default_rng(0)
    relevant = [np.arange(20) == rng.integers(20) for _ in range(60)]
    scores = [np.stack([rng.random(20), new + 0.2 * rng.random(20)], axis=1) for new in relevant]
    noise, oracle = listwise_weights(scores, relevant)
    assert noise + oracle == pytest.approx(1.0)
    assert oracle > 3 * noise >= 0


def test_two_parts_that_say_the_same_share_the_weight():
    rng = np.random.default_rng(0)
    relevant = [np.arange(20) == rng.integers(20) for _ in range(60)]
    scores = [np.repeat((new + 0.2 * rng.random(20))[:, None], 2, axis=1) for new in relevant]
    assert listwise_weights(scores, relevant) == pytest.approx([0.5, 0.5], abs=1e-3)
