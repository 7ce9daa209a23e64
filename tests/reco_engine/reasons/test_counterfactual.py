"""Without your purchase of these, this would not be in your list."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reco_engine.data.interactions import History
from reco_engine.errors import BadInputError
from reco_engine.ranking import recommend
from reco_engine.reasons import counterfactual
from reco_engine.recommenders import BuyAgain, Popularity
from reco_engine.recommenders.registry import BUILT_IN
from tests.reco_engine.conftest import AT, DAY, HISTORY
from tests.reco_engine.reasons.conftest import Table


def table(rows, n_items, base=0.0):
    """Rows of points by item; other items have none."""
    points = np.zeros((n_items, n_items))
    for item, by_history in rows.items():
        for bought, value in by_history.items():
            points[item, bought] = value
    return Table(points, base)


def test_one_purchase_without_which_the_item_would_not_be_listed():
    model = table({10: {0: 5, 1: 1}, 11: {1: 4}, 12: {1: 3}}, 13)
    found = counterfactual(model, History([0, 1]), 10, n=2)
    assert (found.without, found.instead) == ((0,), (12,))


def test_two_purchases_when_either_alone_is_enough_to_keep_it():
    model = table({10: {0: 5, 1: 5}, 11: {2: 3}}, 12)
    found = counterfactual(model, History([0, 1, 2]), 10, n=1)
    assert (found.without, found.instead) == ((0, 1), (11,))


def test_a_purchase_that_is_not_needed_is_put_back():
    # By points 0 comes first (3), then 1 and 2 (2 each): without 0 and 1 it has 2 of 7 points, and 11 has 2.5.
    # But 0 speaks for 11 as well: without 1 and 2 it has 3 and 11 has 3.5, so 0 is not among what is told.
    model = table({10: {0: 3.0, 1: 2.9, 2: 2.8}, 11: {0: 3.2, 3: 0.3}}, 12)
    found = counterfactual(model, History([0, 1, 2, 3]), 10, n=1)
    assert found.without == (1, 2)


def test_a_purchase_made_twice_is_taken_out_whole():
    model = table({10: {0: 3}, 11: {1: 4}}, 12)
    found = counterfactual(model, History([0, 0, 1]), 10, n=1)
    assert found.without == (0,)


def test_what_was_removed_does_not_take_the_place_itself():
    model = table({10: {0: 5}, 0: {1: 4}, 11: {1: 3}}, 12)
    found = counterfactual(model, History([0, 1]), 10, n=1)
    assert found.instead == (11,)


def test_what_may_not_be_shown_does_not_take_the_place_either():
    model = table({10: {0: 5}, 11: {1: 4}, 12: {1: 3}, 9: {1: 2}}, 13)
    allowed = np.arange(13) != 11
    found = counterfactual(model, History([0, 1]), 10, n=1, allowed=allowed, exclude=[12])
    assert found.instead == (9,)


def test_an_item_that_everybody_is_shown_has_none(data):
    model = Popularity().fit(*data)
    (listed,) = recommend(model, [HISTORY], 3, at=AT)
    assert counterfactual(model, HISTORY, listed.item_ids[0], n=3, at=AT) is None


def test_without_any_history_there_is_nothing_to_remove(data):
    model = Popularity().fit(*data)
    (listed,) = recommend(model, [History([])], 3)
    assert counterfactual(model, History([]), listed.item_ids[0], n=3) is None


def test_an_item_that_is_not_listed_is_refused():
    model = table({10: {0: 5}, 11: {0: 4}}, 12)
    with pytest.raises(BadInputError, match="11"):
        counterfactual(model, History([0]), 11, n=1)


@pytest.mark.parametrize("most_ranked", [0, 1, 2, 3, 5, 8])
def test_the_work_is_bounded(most_ranked):
    model = table({20: dict.fromkeys(range(10), 1.0), 21: {10: 0.5}}, 22)
    assert counterfactual(model, History(range(11)), 20, n=1, most_items=20, most_ranked=most_ranked) is None
    assert model.n_scored <= most_ranked + 1


def test_one_that_was_not_proved_to_be_minimal_in_time_is_not_told():
    # 0 alone, 1 alone (half of 4), 0 and 1, 0 to 2: gone; nothing is left to show that each is needed.
    rows = {10: {0: 3.0, 1: 2.9, 2: 2.8}, 11: {0: 3.2, 3: 0.3}}
    assert counterfactual(table(rows, 12), History([0, 1, 2, 3]), 10, n=1, most_ranked=4) is None
    assert counterfactual(table(rows, 12), History([0, 1, 2, 3]), 10, n=1, most_ranked=9).n_ranked <= 10


def test_more_purchases_than_a_shopper_would_read_are_not_told():
    model = table({20: dict.fromkeys(range(4), 1.0), 21: {10: 0.5}}, 22)
    history = History([0, 1, 2, 3, 10])
    assert counterfactual(model, history, 20, n=1, most_items=3) is None
    assert counterfactual(model, history, 20, n=1, most_items=4).without == (0, 1, 2, 3)


def test_what_is_bought_again_is_there_because_it_was_bought(data):
    model = BuyAgain().fit(*data)
    found = counterfactual(model, HISTORY, 7, n=3, exclude_seen=False, at=AT)
    assert (found.without, found.instead) == ((7,), ())


def test_ages_count_from_the_newest_purchase_even_without_it():
    # 11 wins without 0 only if ages do not move when the newest purchase goes.
    class Fading(Table):
        def score(self, histories, items=None, at=None):
            assert at == 9 * DAY
            return super().score(histories, items, at)

    model = Fading(table({10: {0: 5}, 11: {1: 4}}, 12).points)
    assert counterfactual(model, History([0, 1], [9 * DAY, 2 * DAY]), 10, n=1).without == (0,)


def without(history, items):
    kept = [i for i, item in enumerate(history.items) if item not in items]
    return History(*([column[i] for i in kept] for column in (history.items, history.timestamps, history.weights)))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.integers(0, 29), min_size=2, max_size=12, unique=True), st.integers(1, 6))
def test_each_one_told_is_true_and_no_member_can_be_left_out(hybrid, items, n):
    history = History(items, [AT - DAY * (1 + item) for item in items], [1.0] * len(items))
    listed = hybrid.rank(history, n, exclude=items, at=AT).item_ids
    for item in listed:
        found = counterfactual(hybrid, history, item, n, at=AT)
        if found is None:
            continue
        after = hybrid.rank(without(history, found.without), n, exclude=items, at=AT).item_ids
        assert item not in after
        assert found.instead == tuple(each for each in after if each not in listed)
        assert set(found.without) <= set(items)
        for member in found.without:
            fewer = without(history, set(found.without) - {member})
            assert len(found.without) == 1 or item in hybrid.rank(fewer, n, exclude=items, at=AT).item_ids


@pytest.mark.parametrize("kind", BUILT_IN)
def test_each_recommender_can_say_without_what_an_item_would_not_be_listed(kind, fitted):
    model, again = fitted(kind), kind == "buy_again"
    (listed,) = recommend(model, [HISTORY], 2, exclude_seen=not again, at=AT)
    told = [counterfactual(model, HISTORY, item, 2, exclude_seen=not again, at=AT) for item in listed.item_ids]
    allowed = ~np.isin(model.item_ids, [] if again else HISTORY.items)
    (of_strangers,) = recommend(model, [History([])], 2, exclude_seen=False, allowed=allowed, at=AT)
    for item, found in zip(listed.item_ids, told, strict=True):
        if found is None:  # three purchases may all be removed: it must be there without any
            assert item in of_strangers.item_ids
            continue
        after = recommend(model, [without(HISTORY, found.without)], 2, exclude_seen=False, allowed=allowed, at=AT)
        assert found.item_id not in after[0].item_ids
        assert set(found.instead) == set(after[0].item_ids) - set(listed.item_ids)


def test_the_list_that_is_made_again_has_the_same_rules(hybrid):
    assert counterfactual(hybrid, HISTORY, 12, n=3, at=AT, bonus={12: 100.0}) is None
