"""What speaks against serving a fitted model, said in words."""

from __future__ import annotations

from copy import copy

import numpy as np
import pytest

from reco_engine.data.interactions import Interactions
from reco_engine.evaluation.artifact_check import agreement
from reco_engine.evaluation.gate import Recipe, check_artifact
from reco_engine.recommenders import Popularity
from reco_engine.recommenders.registry import BUILT_IN

from .test_comparing import CF

DAY = 86_400.0
AT = 60 * DAY


@pytest.fixture(scope="module")
def pair(tastes):
    """A model of all sixty days, and its twin of the first forty."""
    interactions, catalogue = tastes
    early = interactions.where(interactions.timestamps <= 40 * DAY)
    return CF().fit(interactions, catalogue, at=AT), CF().fit(early, catalogue, at=40 * DAY)


@pytest.mark.parametrize("kind", [*BUILT_IN, "hybrid"])
def test_an_honest_model_of_any_kind_has_no_faults(tastes, kind):
    interactions, catalogue = tastes
    parts = {"item_cf": CF.settings, "popularity": {}, "content": {}}
    quick = {"n_epochs": 1} if "mlp" in kind else {}
    recipe = {"item_cf": CF, "hybrid": Recipe("hybrid", parts)}.get(kind, Recipe(kind, quick))
    early = interactions.where(interactions.timestamps <= 40 * DAY)
    model, twin = recipe().fit(interactions, catalogue, at=AT), recipe().fit(early, catalogue, at=40 * DAY)
    assert check_artifact(model, twin, interactions, at=AT) == ()
    assert check_artifact(model, None, interactions, at=AT) == ()


def test_numbers_that_are_not_finite_are_counted(tastes, pair):
    broken = copy(pair[0])
    broken.similarities_ = broken.similarities_.copy()
    broken.similarities_[:3] = np.nan
    (fault,) = check_artifact(broken, pair[1], tastes[0], at=AT)
    assert fault == f"3 of {broken.similarities_.size:,} numbers in similarities_ of item_cf are not finite."


def test_a_part_of_the_hybrid_is_looked_into(tastes, pair):
    hybrid = Recipe("hybrid", {"item_cf": CF.settings, "popularity": {}})().fit(*tastes, at=AT)
    hybrid.blend.weights_ = np.full_like(hybrid.blend.weights_, np.inf)
    (fault,) = check_artifact(hybrid, None, tastes[0], at=AT)
    assert "in weights_ of hybrid are not finite" in fault


def test_infinite_scores_are_refused(tastes):
    class Loud(Popularity):
        def score(self, histories, items=None, at=None):
            return super().score(histories, items, at) / np.float32(0.0)

    with np.errstate(divide="ignore", invalid="ignore"):
        (fault,) = check_artifact(Loud().fit(tastes[0]), None, tastes[0], at=AT)
    assert fault.endswith("live histories are infinite.")


def test_what_was_learnt_past_the_watermark_is_told(tastes, pair):
    later = Interactions.from_arrays([1, 2, 3], [1, 2, 3], [AT, AT + 1, AT + DAY])
    (fault,) = check_artifact(pair[0], pair[1], later, at=AT)
    assert fault == "It learnt from 2 interactions past its watermark, up to 86,400 seconds too late."


def test_ages_that_count_from_past_the_watermark_are_told(tastes):
    model = CF().fit(*tastes, at=AT + DAY)
    assert check_artifact(model, None, tastes[0], at=AT) == (
        "Its ages count from 86,400 seconds past its watermark.",
    )  # fmt: skip


def test_popularity_in_the_place_of_a_model_shows_too_little_and_has_too_little_in_common():
    rng = np.random.default_rng(2)
    crowd = Interactions.from_arrays(rng.integers(0, 100, 9000), rng.integers(0, 1000, 9000), np.arange(9000.0))

    class Personal(Popularity):
        def score(self, histories, items=None, at=None):
            return np.random.default_rng(0).random((len(histories), self.item_ids.size), dtype=np.float32)

    faults = check_artifact(Popularity().fit(crowd), Personal().fit(crowd), crowd, at=9000.0)
    assert [fault.split(" ")[2] for fault in faults] == ["for", "have"]
    assert faults[0].startswith("Its lists for 100 live histories show")


def test_a_model_that_names_the_wrong_items_has_too_little_in_common_with_its_twin(tastes, pair):
    wrong = copy(pair[0])
    wrong.targets_ = ((wrong.targets_ + 40) % 80).astype(np.int32)
    (fault,) = check_artifact(wrong, pair[1], tastes[0], at=AT)
    assert "of their items in common with its twin's; 40.0% is least." in fault


def test_a_model_that_lists_nothing_is_refused(tastes, pair):
    class Silent(Popularity):
        def score(self, histories, items=None, at=None):
            return super().score(histories, items, at) * np.nan

    (fault,) = check_artifact(Silent().fit(tastes[0]), pair[1], tastes[0], at=AT)
    assert fault == "It lists nothing to any of 200 live histories."


def test_agreement_is_the_mean_share_of_the_shorter_list():
    ours = np.asarray([[1, 2, 3, 4], [1, 2, -1, -1], [-1, -1, -1, -1]])
    theirs = np.asarray([[4, 3, 9, 8], [2, 5, 6, 7], [1, 2, 3, 4]])
    assert agreement(ours, theirs) == pytest.approx((2 / 4 + 1 / 2) / 2)
