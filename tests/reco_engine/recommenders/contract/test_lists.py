"""From scores to a list: what may be shown is exact, and equals keep one order."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.data.interactions import History, Interactions
from reco_engine.ranking import recommend
from tests.reco_engine.conftest import AT, DAY, HISTORY


def whole(model, history=HISTORY, **options):
    (ranking,) = recommend(model, [history], n=model.item_ids.size, exclude_seen=False, at=AT, **options)
    return ranking


def test_a_list_is_in_the_order_of_the_scores_ties_by_item(model):
    (scores,) = model.score([HISTORY], at=AT)
    known = [place for place in range(scores.size) if not np.isnan(scores[place])]
    expected = sorted(known, key=lambda place: (-scores[place], place))
    assert whole(model).item_ids == tuple(model.item_ids[expected].tolist())
    assert whole(model).scores == tuple(scores[expected].tolist())


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_a_filtered_list_is_the_whole_one_with_the_rest_taken_out(model, share):
    allowed = np.random.default_rng(2).random(model.item_ids.size) < share
    may = set(model.item_ids[allowed].tolist())
    full, filtered = whole(model), whole(model, allowed=allowed)
    assert filtered.item_ids == tuple(item for item in full.item_ids if item in may)
    (page,) = recommend(model, [HISTORY], n=4, exclude_seen=False, allowed=allowed, at=AT)
    assert page.item_ids == filtered.item_ids[:4]


def test_a_list_of_new_items_is_the_whole_one_without_those_seen(model):
    (ranking,) = recommend(model, [HISTORY], n=model.item_ids.size, at=AT)
    assert ranking.item_ids == tuple(item for item in whole(model).item_ids if item not in HISTORY.items)


def test_each_shopper_of_several_has_their_own_list(model):
    shoppers = [HISTORY, History([]), History([1, 2], [70 * DAY, 80 * DAY])]
    for listed, history in zip(recommend(model, shoppers, n=6, at=AT), shoppers, strict=True):
        (alone,) = recommend(model, [history], n=6, at=AT)
        assert listed.item_ids == alone.item_ids
        assert listed.scores == pytest.approx(alone.scores, rel=1e-5, abs=1e-6)


def test_items_that_everyone_takes_alike_keep_one_order(fit):
    # Three users take items 0 to 5 on one day each: 3, 4 and 5 are equal to whoever has taken 0.
    users, items = np.repeat([1, 2, 3], 6), np.tile(np.arange(6), 3)
    stamps = np.full(18, 80 * DAY)
    order = np.random.default_rng(1).permutation(18)
    one = fit(Interactions.from_arrays(users, items, stamps))
    other = fit(Interactions.from_arrays(users[order], items[order], stamps[order]))
    history = History([0], [85 * DAY])
    assert whole(one, history) == whole(other, history) == whole(one, History([0], [85 * DAY]))
