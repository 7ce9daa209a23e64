"""Buy-again, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reco_engine.data.interactions import History, Interactions
from reco_engine.errors import BadInputError
from reco_engine.recommenders import BuyAgain
from tests.reco_engine.conftest import AT, DAY, HISTORY


def weekly_shop(n_users=60):
    """Milk each week, a pan once, both known by everybody, over half a year."""
    lines = [(user, "milk", day) for user in range(n_users) for day in range(user % 7, 180, 7)]
    lines += [(user, "pan", 5 + 2 * user) for user in range(n_users)]
    users, items, days = zip(*lines, strict=True)
    return Interactions.from_arrays(users, items, np.asarray(days) * DAY)


@pytest.fixture(scope="module")
def weekly():
    return BuyAgain().fit(weekly_shop(), at=180 * DAY)


def test_buy_again_has_an_opinion_of_the_shoppers_own_items_only():
    model = BuyAgain().fit(Interactions.from_arrays([1, 1], ["a", "b"]))
    (a, b) = model.score([History(["a", "a"])])[0]
    assert 0 < a < 1
    assert np.isnan(b)


def test_without_dates_more_purchases_are_a_higher_chance_and_five_make_even_odds():
    model = BuyAgain(half_life=90.0).fit(Interactions.from_arrays([1, 1], ["a", "b"]))
    five, one = model.score([History(["a"] * 5 + ["b"])])[0]
    assert five == pytest.approx(0.5)
    assert one == pytest.approx(1.01 / (1.01 + 5.01))


def test_a_half_life_given_is_the_one_that_counts():
    model = BuyAgain(half_life=10.0).fit(weekly_shop(), at=180 * DAY)
    (scores,) = model.score([History(["milk"], [170 * DAY])], at=180 * DAY)
    assert scores[0] == pytest.approx(0.51 / (0.51 + 5.01))
    assert model.half_lives_.tolist() == [10.0]


def test_what_everybody_takes_weekly_is_taken_again_and_a_pan_is_not(weekly):
    days = np.asarray([*range(8, 180, 7), 176]) * DAY
    milk, pan = weekly.score([History(["milk"] * 25 + ["pan"], days)], at=180 * DAY)[0]
    assert milk > 0.9
    assert pan < 0.2


def test_an_item_alike_in_habit_scores_higher_where_its_takers_repeat(weekly):
    history = History(["milk", "pan"], [100 * DAY, 100 * DAY])
    milk, pan = weekly.score([history], at=180 * DAY)[0]
    repeat, _ = weekly.terms(history, ["milk", "pan"], at=180 * DAY)
    assert milk > pan
    assert repeat.points[0, 0] == pytest.approx(repeat.points[1, 1])


def test_a_shopper_who_takes_it_weekly_is_more_certain_than_one_who_stopped(weekly):
    weekly_days = np.arange(100, 180, 7) * DAY
    going, gone = History(["milk"] * 12, weekly_days), History(["milk"] * 12, weekly_days - 100 * DAY)
    scores = weekly.score([going, gone], items=["milk"], at=180 * DAY)[:, 0]
    assert scores[0] > scores[1]


def test_a_score_is_the_habits_points_and_the_rest_is_the_items(weekly):
    history = History(["milk", "pan"], [176 * DAY, 120 * DAY])
    repeat, popular = weekly.terms(history, ["milk", "pan", "unknown"], at=180 * DAY)
    assert (repeat.kind, popular.kind) == ("repeat", "popular")
    assert repeat.evidence.tolist() == ["milk", "pan"]
    totals = repeat.points.sum(axis=1) + popular.points.sum(axis=1)
    np.testing.assert_allclose(totals[:2], weekly.score([history], at=180 * DAY)[0], rtol=1e-6)
    assert totals[2] == 0
    assert repeat.points[0, 1] == repeat.points[1, 0] == 0


def test_the_reason_of_a_repeat_is_the_item_itself(weekly):
    reasons = weekly.explain(History(["milk"], [176 * DAY]), "milk", at=180 * DAY)
    assert {reason.kind: reason.evidence for reason in reasons} == {"repeat": ("milk",), "popular": ()}


def test_a_chance_lies_between_nothing_and_one_for_any_age(data):
    model = BuyAgain().fit(data[0], at=AT)
    ancient = History([3, 7], [0, 1], [1.0, 0.01])
    for history in (HISTORY, ancient):
        (scores,) = model.score([history], at=AT + 5000 * DAY)
        known = scores[~np.isnan(scores)]
        assert known.size
        assert ((known >= 0) & (known <= 1)).all()


def test_what_weighs_nothing_is_no_habit():
    model = BuyAgain().fit(weekly_shop(), at=180 * DAY)
    (scores,) = model.score([History(["milk", "pan"], [1, 1], [0.0, 1.0])], at=180 * DAY)
    assert np.isnan(scores[0])
    assert not np.isnan(scores[1])


def test_an_unseen_shopper_is_served_as_a_known_one_with_the_same_purchases(weekly):
    history = History(["milk", "pan"], [176 * DAY, 120 * DAY])
    backwards = History(["pan", "milk"], [120 * DAY, 176 * DAY])
    np.testing.assert_array_equal(weekly.score([history], at=180 * DAY), weekly.score([backwards], at=180 * DAY))


def test_the_chance_learnt_is_the_share_that_came_back(weekly):
    data = weekly_shop()
    mine = [
        History(data.item_ids[data.items[data.users == user]].tolist(), data.timestamps[data.users == user])
        for user in range(60)
    ]
    milk = weekly.score(mine, items=["milk"], at=180 * DAY)
    assert float(milk.mean()) > 0.9  # every shopper took milk again in the weeks learnt from


@pytest.mark.parametrize("settings", [{"horizon": 0.0}, {"half_life": -1.0}])
def test_a_setting_of_no_days_is_refused(settings):
    with pytest.raises(BadInputError, match=next(iter(settings))):
        BuyAgain(**settings).fit(weekly_shop(2))


def test_points_of_the_item_are_zero_where_nothing_was_learnt():
    model = BuyAgain().fit(Interactions.from_arrays([1, 2], ["a", "a"]))
    (reason,) = model.explain(History(["a"]), "a")
    assert reason.kind == "repeat"
    assert math.isclose(reason.points, float(model.score([History(["a"])])[0, 0]), rel_tol=1e-6)


def test_a_shopper_without_a_known_purchase_has_nothing_to_buy_again(weekly):
    scores = weekly.score([History([]), History(["sofa"], [3.0])], at=180 * DAY)
    assert scores.shape == (2, weekly.item_ids.size)
    assert np.isnan(scores).all()
