"""A recommender whose scores are read off a table, and a fitted hybrid."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.data.interactions import codes_of
from reco_engine.ranking import Blend, Hybrid
from reco_engine.recommenders.base import Explained
from reco_engine.recommenders.registry import create
from reco_engine.types import Terms
from tests.reco_engine.conftest import AT


class Table(Explained):
    """Points of each item (row) for each item of the history (column), ids from 0; every entry counts once a weight."""

    name = "table"

    def __init__(self, points, base=0.0):
        self.points = np.asarray(points, dtype=float)
        self.base = base
        self.item_ids = np.arange(len(self.points))
        self.n_scored = 0

    def _places(self, history):
        codes = codes_of(self.item_ids, history.items)
        return codes[codes >= 0]

    def score(self, histories, items=None, at=None):
        self.n_scored += 1
        rows = np.stack([self.points[:, self._places(h)].sum(axis=1) + self.base for h in histories])
        return (rows if items is None else rows[:, codes_of(self.item_ids, items)]).astype(np.float32)

    def terms(self, history, items, at=None):
        places = self._places(history)
        points = self.points[np.ix_(codes_of(self.item_ids, items), places)]
        return [
            Terms("history_item", points, "table", self.item_ids[places]),
            Terms("popular", np.full((len(items), 1), self.base), "table"),
        ]


@pytest.fixture(scope="session")
def hybrid(data):
    kinds = ("popularity", "item_cf", "user_cf", "content")
    parts = {name: create(name).fit(*data, at=AT) for name in kinds}
    return Hybrid(parts, Blend.default(dict.fromkeys(parts, 1.0)))
