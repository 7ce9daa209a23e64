"""A score depends on the history, the instant and what was learned, and on nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reco_engine.data.interactions import History
from tests.reco_engine.conftest import AT, DAY, HISTORY


def test_there_is_one_score_for_each_history_and_item(model):
    scores = model.score([HISTORY, History([]), History([1])], at=AT)
    assert scores.shape == (3, model.item_ids.size)
    assert scores.dtype == np.float32
    assert not np.isinf(scores).any()


def test_no_history_gives_no_rows(model):
    assert model.score([], at=AT).shape == (0, model.item_ids.size)


def test_there_is_an_opinion_of_something(model):
    assert np.isfinite(model.score([HISTORY], at=AT)).any()


def test_items_are_sorted_and_there_once(model):
    assert np.array_equal(model.item_ids, np.unique(model.item_ids))


def test_scoring_some_items_equals_scoring_all_of_them(model):
    (whole,) = model.score([HISTORY], at=AT)
    wanted = model.item_ids[::-3]
    (some,) = model.score([HISTORY], items=wanted.tolist(), at=AT)
    np.testing.assert_allclose(some, whole[::-3], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(model.score([HISTORY], items=wanted, at=AT)[0], some)


def test_an_item_asked_for_twice_is_scored_twice(model):
    item = model.item_ids[4].item()
    one, two = model.score([HISTORY], items=[item, item], at=AT)[0]
    np.testing.assert_array_equal(one, two)


def test_asking_for_no_item_gives_no_score(model):
    assert model.score([HISTORY], items=[], at=AT).shape == (1, 0)


def test_an_unknown_item_has_no_score_and_hides_no_other_one(model):
    known = model.item_ids[2].item()
    unknown, score, other = model.score([HISTORY], items=[-5, known, "no such item"], at=AT)[0]
    assert np.isnan([unknown, other]).all()
    np.testing.assert_allclose(score, model.score([HISTORY], at=AT)[0][2], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("stranger", [99_999, -1, "no such item", 2**70])
def test_unknown_items_in_a_history_are_ignored(model, stranger):
    known = History([3, 7], [80 * DAY, 85 * DAY])
    mixed = History([3, stranger, 7], [80 * DAY, 84 * DAY, 85 * DAY])
    np.testing.assert_array_equal(model.score([mixed], at=AT), model.score([known], at=AT))


def test_a_history_of_unknown_items_is_an_empty_one(model):
    strangers, empty = model.score([History([99_999, -7]), History([])], at=AT)
    np.testing.assert_array_equal(strangers, empty)


def test_an_item_that_weighs_nothing_is_as_good_as_not_there(model):
    light = History([3, 9, 7], [80 * DAY, 81 * DAY, 85 * DAY], [1.0, 0.0, 1.0])
    without = History([3, 7], [80 * DAY, 85 * DAY], [1.0, 1.0])
    np.testing.assert_allclose(model.score([light], at=AT), model.score([without], at=AT), rtol=1e-5, atol=1e-6)


def test_items_bought_twice_count_as_their_summed_weight(model):
    twice = History([3, 7, 3], [80 * DAY, 85 * DAY, 80 * DAY], [1.0, 1.0, 0.5])
    # buy-again counts days: what was taken twice on one of them counts as the heavier taking
    once = History([3, 7], [80 * DAY, 85 * DAY], [1.0 if model.name == "buy_again" else 1.5, 1.0])
    np.testing.assert_allclose(model.score([twice], at=AT), model.score([once], at=AT), rtol=1e-5, atol=1e-6)


def test_the_order_in_which_a_history_is_told_does_not_matter(model):
    order = [2, 0, 3, 1]
    shuffled = History(*([column[i] for i in order] for column in (HISTORY.items, HISTORY.timestamps, HISTORY.weights)))
    np.testing.assert_array_equal(model.score([shuffled], at=AT), model.score([HISTORY], at=AT))


def test_a_history_given_as_arrays_is_the_same_history(model):
    arrays = History(*(np.asarray(column) for column in (HISTORY.items, HISTORY.timestamps, HISTORY.weights)))
    np.testing.assert_array_equal(model.score([arrays], at=AT), model.score([HISTORY], at=AT))


def test_the_company_of_other_shoppers_changes_nothing(model):
    # To the bit when asked again; a batch may add in another order, which float32 shows in its last places.
    others = [History([1, 2]), HISTORY, History([]), HISTORY]
    together = model.score(others, at=AT)
    for row, history in zip(together, others, strict=True):
        alone = model.score([replace(history, _known={})], at=AT)
        np.testing.assert_allclose(row, alone[0], rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(model.score([history], at=AT), alone)


def test_a_stranger_is_served_as_the_known_shopper_with_the_same_history(model, data, fit, rows):
    # Without this shopper in the training data, the same history is that of a stranger: an opinion of as many
    # items, of the items that everyone else took.
    interactions, _ = data
    mine = rows["users"] == 5
    history = History(rows["items"][mine].tolist(), rows["timestamps"][mine].tolist())
    stranger = fit(interactions.where(~mine))
    known_row, strange_row = model.score([history], at=AT)[0], stranger.score([history], at=AT)[0]
    assert np.isfinite(strange_row).sum() == np.isfinite(known_row).sum() > 0


def test_an_event_of_the_future_counts_as_one_of_this_moment(model):
    ahead = History([3, 7], [80 * DAY, AT + 30 * DAY])
    now = History([3, 7], [80 * DAY, AT])
    np.testing.assert_array_equal(model.score([ahead], at=AT), model.score([now], at=AT))


def test_a_history_without_dates_is_one_of_this_moment(model):
    undated = History([3, 7], None, [1.0, 0.5])
    now = History([3, 7], [AT, AT], [1.0, 0.5])
    np.testing.assert_array_equal(model.score([undated], at=AT), model.score([now], at=AT))
