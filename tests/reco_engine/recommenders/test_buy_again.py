"""Buy-again, by hand."""

from __future__ import annotations

import numpy as np

from reco_engine.data.interactions import History, Interactions
from reco_engine.recommenders import BuyAgain


def test_buy_again_has_an_opinion_of_the_shoppers_own_items_only():
    interactions = Interactions.from_arrays([1, 1], ["a", "b"])
    model = BuyAgain().fit(interactions)
    (a, b) = model.score([History(["a", "a"])])[0]
    assert a == 2
    assert np.isnan(b)
