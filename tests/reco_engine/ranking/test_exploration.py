"""A share of the places is drawn, and everybody's chance to be shown is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reco_engine.errors import BadInputError
from reco_engine.ranking import explored

sizes = {"n_ranked": st.integers(0, 60), "n": st.integers(0, 30)}


@given(**sizes, share=st.floats(0, 1), seed=st.integers(0, 2**63 - 1))
def test_nothing_is_lost_or_doubled_and_the_chances_sum_to_the_list(n_ranked, n, share, seed):
    found = explored(n_ranked, n, share=share, rng=np.random.default_rng(seed))
    assert sorted(found.order.tolist()) == list(range(n_ranked))
    assert found.propensities.sum() == pytest.approx(min(n, n_ranked))
    assert np.all((found.propensities >= 0) & (found.propensities <= 1 + 1e-12))
    shown = found.order[:n].tolist()
    assert found.tried <= set(shown)
    assert abs(len(found.tried) - share * min(n, n_ranked)) < 1 or n >= n_ranked
    kept = [place for place in shown if place not in found.tried]
    assert kept == list(range(len(kept)))  # the best, in their order


@given(**sizes, share=st.floats(0.05, 1), seed=st.integers(0, 2**63 - 1))
def test_the_same_seed_draws_the_same_list(n_ranked, n, share, seed):
    one, other = (explored(n_ranked, n, share=share, rng=np.random.default_rng(seed)) for _ in range(2))
    assert one.order.tolist() == other.order.tolist()


def test_each_item_is_shown_as_often_as_its_chance_says():
    rng = np.random.default_rng(7)
    counts = np.zeros(12)
    for _ in range(20_000):
        found = explored(12, 5, share=0.3, rng=rng)
        counts[found.order[:5]] += 1
    # 1.5 places: one or two, each half of the time. Ranks 1-3 stay; rank 4 stays, or is one of 9 for two places;
    # from rank 5 on one of 8 for one place, or one of 9 for two.
    by_hand = [1, 1, 1, 0.5 + 0.5 * 2 / 9] + [0.5 / 8 + 0.5 * 2 / 9] * 8
    assert found.propensities == pytest.approx(by_hand)
    assert counts / 20_000 == pytest.approx(by_hand, abs=0.015)


def test_what_is_no_share_is_refused():
    with pytest.raises(BadInputError, match="share"):
        explored(5, 2, share=1.5, rng=np.random.default_rng(0))
