"""Content-based: likeness, and items that nobody took yet."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reco_engine.artifacts import load, save
from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions
from reco_engine.recommenders import ContentBased


@pytest.fixture
def tastes():
    """Half of the users take teas, the other half soaps; item 9 is a tea that nobody took yet, 19 a soap."""
    users = [user for user in range(20) for _ in range(4)]
    items = [(user % 2) * 10 + (user + k) % 8 for user in range(20) for k in range(4)]
    catalogue = Catalogue.from_columns(
        list(range(20)), category=[("Shop", "Tea" if n < 10 else "Soap") for n in range(20)], brand=["Own"] * 20
    )
    return Interactions.from_arrays(users, items), catalogue


def test_an_item_that_nobody_took_yet_is_scored_by_what_it_is_made_of(tastes):
    model = ContentBased().fit(*tastes)
    tea, soap = model.score([History([1])], items=[9, 19])[0]
    assert tea > soap > 0


def test_a_feature_that_says_nothing_of_taste_is_no_likeness(tastes):
    """All share the brand and the top category: nothing but the shelf can count."""
    model = ContentBased().fit(*tastes)
    kinds = {reason.kind for reason in model.explain(History([1]), 19)}
    assert kinds == {"popular"}


def test_without_a_single_purchase_likeness_comes_from_the_catalogue_alone(tastes):
    model = ContentBased().fit(Interactions.from_arrays([], []), tastes[1])
    tea, soap = model.score([History([1])], items=[9, 19])[0]
    assert tea > soap


def shelf(numbers):
    return Catalogue.from_columns(
        numbers, category=[("Shop", "Tea" if n % 20 < 10 else "Soap") for n in numbers], brand=["Own"] * len(numbers)
    )


def test_an_item_from_after_the_fit_equals_its_twin_that_nobody_took(tastes):
    wider = ContentBased().fit(*tastes).with_catalogue(shelf([*range(20), 29]))
    twin, late = wider.score([History([1])], items=[9, 29])[0]
    assert late == twin > 0
    assert {reason.kind for reason in wider.explain(History([1]), 29)} == {"feature", "popular"}


def test_items_that_are_known_keep_their_numbers_in_another_catalogue(tastes):
    model = ContentBased().fit(*tastes)
    model.score([History([1])])
    wider = model.with_catalogue(shelf([1, 9, 15, 29]))
    np.testing.assert_array_equal(wider.priors_[:3], model.priors_[[1, 9, 15]])
    before, after = (each.score([History([1])], items=[1, 9, 15]) for each in (model, wider))
    np.testing.assert_array_equal(before, after)
    assert model.item_ids.size == 20


def test_a_feature_that_no_item_had_at_the_fit_is_left_out(tastes):
    late = Catalogue.from_columns([1, 30, 31], category=[("Shop", "Tea"), ("Moon",), ("Moon",)])
    wider = ContentBased().fit(*tastes).with_catalogue(late)
    assert {reason.kind for reason in wider.explain(History([30]), 31)} == {"popular"}


def test_a_stored_model_takes_in_new_items_as_well(tastes, tmp_path):
    model = ContentBased().fit(*tastes)
    save(model, tmp_path / "m")
    stored, fresh = (each.with_catalogue(shelf([1, 29])) for each in (load(tmp_path / "m"), model))
    np.testing.assert_array_equal(stored.score([History([1])]), fresh.score([History([1])]))


def test_items_of_which_nothing_is_known_are_scored_by_popularity_alone(tastes):
    bare = Catalogue.from_columns([0, 1, 2], price=[math.nan] * 3, text=["", "", ""])
    scores = ContentBased().fit(tastes[0], bare).score([History([0])])
    assert np.isfinite(scores).all()


def test_many_histories_at_once_are_scored_as_one_by_one(tastes):
    model = ContentBased().fit(*tastes)
    histories = [History([n % 18, (3 * n) % 18]) for n in range(40)] + [History([777])]
    alone = np.concatenate([model.score([history]) for history in histories])
    np.testing.assert_array_equal(model.score(histories), alone)


def test_settings_left_open_are_chosen_in_the_fit_and_the_given_ones_kept(tastes):
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(80), 8)
    items = (users % 2) * 10 + rng.integers(0, 10, users.size)
    shop = Interactions.from_arrays(users, items, np.tile(np.arange(8), 80) * 86_400)
    model = ContentBased(base=None, popularity_exponent=0.5).fit(shop, tastes[1])
    assert model.base_ in {0.01, 0.03, 0.1, 0.3}
    assert (model.base, model.popularity_exponent_) == (None, 0.5)
    assert ContentBased(base=None).fit(*tastes).base_ == 0.1  # too few cases to choose by
