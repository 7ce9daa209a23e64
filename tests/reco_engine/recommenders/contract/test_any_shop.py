"""The promises hold for shops that nobody thought of."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions
from reco_engine.ranking import recommend
from tests.reco_engine.conftest import DAY

ITEMS = st.integers(0, 9)
DAYS = st.integers(0, 120)
WEIGHTS = st.sampled_from([0.0, 1e-9, 0.5, 1.0, 3.0, 1e6])
ROWS = st.lists(st.tuples(st.integers(0, 6), ITEMS, DAYS, WEIGHTS), min_size=1, max_size=40).filter(
    lambda rows: any(row[3] > 0 for row in rows)
)
ENTRIES = st.lists(st.tuples(st.integers(0, 12), DAYS, WEIGHTS), max_size=12)


def catalogue(words):
    ids = list(range(len(words)))
    return Catalogue.from_columns(ids, text=words, category=[(word,) if word else () for word in words])


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ROWS, ENTRIES, st.lists(st.sampled_from(["", "tea", "茶", "tea 🍵"]), min_size=9, max_size=9), DAYS)
def test_scores_are_finite_reasons_sum_to_them_and_the_list_is_exact(fit, rows, entries, words, day):
    users, items, days, weights = zip(*rows, strict=True)
    model = fit(Interactions.from_arrays(users, items, np.asarray(days) * DAY, weights), catalogue(["tea", *words]), at=day * DAY)
    history = History([e[0] for e in entries], [e[1] * DAY for e in entries], [e[2] for e in entries])
    (scores,) = model.score([history], at=day * DAY)
    assert not np.isinf(scores).any()
    for item, score in zip(model.item_ids.tolist(), scores.tolist(), strict=True):
        points = [reason.points for reason in model.explain(history, item, at=day * DAY)]
        size = math.fsum(map(abs, points))
        assert math.fsum(points) == pytest.approx(0.0 if math.isnan(score) else score, rel=1e-6, abs=1e-6 * size)
    (ranking,) = recommend(model, [history], n=20, at=day * DAY)
    seen = {entry[0] for entry in entries}
    known = {item: s for item, s in zip(model.item_ids.tolist(), scores, strict=True) if not np.isnan(s)}
    assert list(ranking.item_ids) == sorted(known.keys() - seen, key=lambda item: (-known[item], item))
