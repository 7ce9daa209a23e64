"""Content-based: likeness, and items that nobody took yet."""

from __future__ import annotations

import pytest

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
