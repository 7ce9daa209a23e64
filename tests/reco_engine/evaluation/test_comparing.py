"""Both recipes learn from the same past, and are asked the same."""

from __future__ import annotations

import json

import numpy as np
import pytest

from reco_engine.data.interactions import Interactions
from reco_engine.errors import BadInputError
from reco_engine.evaluation.gate import Recipe, compare, decide
from reco_engine.recommenders import ItemCF, Popularity

DAY = 86_400.0
AT = 60 * DAY
CF = Recipe(
    "item_cf",
    {"activity": 0.5, "source_exponent": 0.5, "target_exponent": 0.3, "half_life": 180.0, "history_half_life": 60.0,
     "spectral_weight": 0.0, "n_targets": 40},
)  # fmt: skip


class Disguised(Popularity):
    name = "item_cf"


def test_popularity_under_another_name_is_refused_and_what_knows_tastes_goes_live(tastes):
    worse, better = compare(Disguised, CF, *tastes, at=AT), compare(CF, Disguised, *tastes, at=AT)
    assert (decide(worse).verdict, decide(worse).rule) == ("reject", "not_as_good")
    assert decide(better).verdict == "promote"
    gain = worse.sections["discovery"].over["live"]["ndcg"].mean
    assert better.sections["discovery"].over["live"]["ndcg"].mean == pytest.approx(-gain)


def test_a_recipe_does_not_differ_from_itself(tastes):
    comparison = compare(CF, CF, *tastes, at=AT)
    for section in comparison.sections.values():
        assert not np.any(section.figures["candidate"]["ndcg"] - section.figures["live"]["ndcg"])
    assert decide(comparison).verdict == "promote"


def test_a_first_version_that_names_the_wrong_items_is_no_better_than_chance(tastes):
    class Wrong(ItemCF):
        def fit(self, *args, **kwargs):
            super().fit(*args, **kwargs)
            self.targets_ = np.random.default_rng(0).permutation(80)[self.targets_].astype(np.int32)
            return self

    assert decide(compare(lambda: Wrong(**CF.settings), None, *tastes, at=AT)).rule == "no_better_than_chance"
    assert decide(compare(CF, None, *tastes, at=AT)).rule == "first"


def test_nothing_is_learnt_from_the_holdout_and_the_twin_is_the_candidate(tastes):
    learnt = []

    class Spy(Popularity):
        def fit(self, interactions, catalogue=None, *, seed=0, at=None, progress=None):
            learnt.append((interactions.newest, seed, at))
            return super().fit(interactions, catalogue, seed=seed, at=at)

    comparison = compare(Spy, lambda: Spy(half_life=7.0), *tastes, at=AT, holdout_days=10, seed=5)
    assert len(learnt) == 2
    assert all(newest <= 50 * DAY and (seed, at) == (5, 50 * DAY) for newest, seed, at in learnt)
    assert isinstance(comparison.twin, Spy)
    assert comparison.twin.half_life == 120.0
    assert (comparison.t1, comparison.t2) == (50 * DAY, AT)


def test_what_is_kept_is_plain(tastes):
    told = json.loads(json.dumps(compare(CF, None, *tastes, at=AT).to_json(), allow_nan=False))
    discovery = told["sections"]["discovery"]
    assert discovery["measured"].keys() == {"candidate", "popularity", "chance"}
    assert {"ndcg", "novelty", "diversity", "popularity_bias", "miscalibration"} <= discovery["over"][
        "popularity"
    ].keys()
    assert discovery["lists"]["candidate"].keys() == {"coverage", "gini", "listed"}
    assert told["has_live"] is False


def test_the_holdout_is_five_weeks_or_a_third_of_what_there_is(tastes):
    assert AT - compare(CF, None, *tastes, at=AT).t1 == pytest.approx(20 * DAY, abs=DAY)
    year = Interactions.from_arrays([1, 1], [1, 2], [0.0, 365 * DAY])
    assert compare(Recipe("popularity"), None, year, None, at=365 * DAY).t1 == 330 * DAY


def test_progress_rises_to_one_and_whoever_hears_it_may_end_the_work(tastes):
    heard = []
    compare(CF, CF, *tastes, at=AT, progress=heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
    assert len(heard) > 9

    def stop(done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(CF, CF, *tastes, at=AT, progress=stop)


def test_where_nobody_came_back_there_are_no_sections_and_nothing_is_fitted():
    strangers = Interactions.from_arrays([1, 2], [1, 1], [0.0, 30 * DAY])

    class Unfit(Popularity):
        def fit(self, *args, **kwargs):
            raise AssertionError

    comparison = compare(Unfit, None, strangers, None, at=30 * DAY)
    assert comparison.sections == {}
    assert comparison.twin is None
    assert decide(comparison).verdict == "promote"


@pytest.mark.parametrize("days", [0, -1, float("nan"), float("inf")])
def test_a_holdout_must_have_a_length(tastes, days):
    with pytest.raises(BadInputError, match="holdout_days"):
        compare(CF, None, *tastes, at=AT, holdout_days=days)
