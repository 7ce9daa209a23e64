"""The blend learns whom to trust."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.ranking.fitting import fit_blend, listwise_weights
from reco_engine.recommenders import ItemCF, Popularity
from tests.reco_engine.conftest import AT


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


def test_while_a_part_is_fitted_the_blend_tells_how_far_it_has_come(data):
    heard = []
    fit_blend({"item_cf": ItemCF, "popularity": Popularity}, *data, at=AT, progress=heard.append)
    assert heard == sorted(heard)
    assert [done for done in heard if 0.0 < done < 0.3]
    assert heard[-1] == 1.0
