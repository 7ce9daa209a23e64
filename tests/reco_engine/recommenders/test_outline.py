"""What an outline promises: no product is above what it says, and nothing that belongs on a list is missed by it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions
from reco_engine.recommenders import ContentBased
from reco_engine.recommenders.base import best_open
from reco_engine.recommenders.outline import Outline


@pytest.mark.parametrize("seed", range(5))
def test_no_product_is_above_what_the_outline_says(seed):
    rng = np.random.default_rng(seed)
    rows = sparse.random(300, 80, density=0.2, format="csr", dtype=np.float32, random_state=rng)
    rows.data[:] = rng.gamma(0.5, 1.0, rows.nnz)
    outline = Outline.of(rows)
    assert 0 < outline.heavy.nnz <= 0.1 * rows.nnz
    for _ in range(20):
        taste = np.where(rng.random(80) < 0.3, rng.gamma(0.5, 1.0, 80), 0.0).astype(np.float32)
        assert np.all(outline.at_most(taste) >= rows @ taste)
    assert not outline.at_most(np.zeros(80, np.float32)).any()


def test_more_rows_beside_are_outlined_by_the_same_columns():
    rng = np.random.default_rng(1)
    rows = sparse.random(200, 50, density=0.3, format="csr", dtype=np.float32, random_state=rng)
    order = rng.permutation(200)
    both = Outline.of(rows[:150]).beside(rows[150:], order)
    taste = rng.random(50).astype(np.float32)
    assert np.all(both.at_most(taste) >= (rows @ taste)[order])


def shop(n_items=400, n_users=300, seed=0):
    rng = np.random.default_rng(seed)
    words = ["".join(rng.choice(list("abcdefgh"), 5)) for _ in range(60)]
    catalogue = Catalogue.from_columns(
        np.arange(n_items),
        text=[" ".join(rng.choice(words, 3)) for _ in range(n_items)],
        category=[(f"floor {n % 5}", f"shelf {n % 20}") for n in range(n_items)],
        brand=[f"brand {n}" for n in rng.integers(0, 12, n_items)],
    )
    users = np.repeat(np.arange(n_users), 6)
    items = (users % 20 + 20 * (20 * rng.random(users.size) ** 2).astype(int)) % n_items
    return Interactions.from_arrays(users, items), catalogue


@pytest.mark.parametrize("n", [1, 20, 150, 1000])
@pytest.mark.parametrize("share", [1.0, 0.5, 0.02])
def test_content_proposes_what_a_look_at_every_item_would(n, share):
    model, rng = ContentBased().fit(*shop()), np.random.default_rng(7)
    for _ in range(10):
        history = History(rng.integers(0, 400, rng.integers(1, 30)).tolist())
        open_ = rng.random(400) < share
        wanted = best_open(model.score([history])[0], open_, n)
        assert model.proposed(history, open_, n, None).tolist() == wanted.tolist()


def test_content_proposes_nothing_to_whom_it_does_not_know():
    model = ContentBased().fit(*shop())
    assert model.proposed(History(["strange"]), np.ones(400, dtype=bool), 10, None).size == 0


def test_items_that_came_later_are_proposed_as_well():
    interactions, catalogue = shop()
    early = ContentBased().fit(interactions, catalogue.where(np.arange(300)))
    early.proposed(History([0, 20]), np.ones(300, dtype=bool), 5, None)  # the outline is drawn before they come
    wider, open_ = early.with_catalogue(catalogue), np.arange(400) >= 290
    wanted = best_open(wider.score([History([0, 20])])[0], open_, 30)
    assert wider.proposed(History([0, 20]), open_, 30, None).tolist() == wanted.tolist()


def test_a_softened_model_shares_the_outline_and_proposes_by_its_own_scores():
    model = ContentBased().fit(*shop())
    softer, history, open_ = model.softened(0.25), History([3, 23]), np.ones(400, dtype=bool)
    assert softer._outline is model._outline
    wanted = best_open(softer.score([history])[0], open_, 40)
    assert softer.proposed(history, open_, 40, None).tolist() == wanted.tolist()
    assert wanted.tolist() != model.proposed(history, open_, 40, None).tolist()
