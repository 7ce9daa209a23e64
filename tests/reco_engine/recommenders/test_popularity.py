"""Popularity, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reco_engine.data.interactions import History, Interactions
from reco_engine.errors import BadInputError
from reco_engine.recommenders import Popularity
from tests.reco_engine.conftest import DAY

MARKETS = Interactions.from_arrays([1, 2, 3, 3], ["tea", "tea", "tea", "rum"])
OF_USERS = {1: "north", 2: "north", 3: "south"}


def test_popularity_counts_a_purchase_half_after_a_half_life():
    interactions = Interactions.from_arrays([1, 2], ["old", "new"], [0, 60 * DAY])
    model = Popularity(half_life=60).fit(interactions, at=60 * DAY)
    assert model.scores_.tolist() == pytest.approx([math.log1p(1.0), math.log1p(0.5)])


def test_a_market_has_its_own_counts_at_the_volume_of_the_whole_shop():
    model = Popularity(lean=2.0).fit(MARKETS, segments=OF_USERS)
    rum, tea = model.score([History([], segment="south")])[0]
    # south took one of each, and two takers of everybody's 1 : 3 are added: 1.5 and 2.5 of 4
    assert math.expm1(rum) == pytest.approx(4 * 1.5 / 4)
    assert math.expm1(tea) == pytest.approx(4 * 2.5 / 4)


def test_a_small_market_leans_on_everybody():
    lonely, crowd = (Popularity(lean=lean).fit(MARKETS, segments=OF_USERS) for lean in (1e-9, 1e9))
    south = [History([], segment="south")]
    assert np.expm1(lonely.score(south)[0]).tolist() == pytest.approx([2.0, 2.0])
    np.testing.assert_allclose(crowd.score(south)[0], crowd.scores_, rtol=1e-6)


def test_a_history_of_no_market_or_an_unknown_one_gets_everybodys_counts():
    model = Popularity(lean=1.0).fit(MARKETS, segments=OF_USERS)
    scores = model.score([History([]), History([], segment="east"), History([], segment="zenith")])
    for row in scores:
        assert np.expm1(row).tolist() == pytest.approx([1.0, 3.0])


def test_several_histories_are_scored_each_in_its_market():
    model = Popularity(lean=1.0).fit(MARKETS, segments=OF_USERS)
    histories = [History([], segment=name) for name in ("south", None, "north")]
    together = model.score(histories, items=["rum", "nothing"])
    alone = [model.score([history], items=["rum", "nothing"])[0] for history in histories]
    np.testing.assert_array_equal(together, alone)
    assert together[0, 0] > together[1, 0] > together[2, 0]
    assert np.isnan(together[:, 1]).all()


def test_segments_may_be_given_for_each_interaction():
    by_line = np.asarray(["south" if user == 2 else "north" for user in MARKETS.users])
    one = Popularity().fit(MARKETS, segments=by_line)
    other = Popularity().fit(MARKETS, segments=OF_USERS)
    assert one.segments_.tolist() == ["north", "south"]
    np.testing.assert_array_equal(one.segment_takers_, other.segment_takers_)


def test_a_user_of_no_segment_counts_for_everybody_only():
    model = Popularity(lean=1e-9).fit(MARKETS, segments={3: 7, 1: None})
    assert model.segments_.tolist() == ["7"]
    assert np.expm1(model.score([History([], segment=7)])[0]).tolist() == pytest.approx([2.0, 2.0])


def test_a_user_counts_once_an_item_in_their_market():
    eager = Interactions.from_arrays([1, 1, 1, 2], ["tea", "tea", "tea", "rum"])
    model = Popularity(lean=1e-9).fit(eager, segments={1: "all", 2: "all"})
    assert np.expm1(model.score([History([], segment="all")])[0]).tolist() == pytest.approx([1.0, 1.0])


def test_the_reasons_of_a_market_sum_to_its_score():
    model = Popularity(lean=2.0).fit(MARKETS, segments=OF_USERS)
    history = History([], segment="south")
    (reason,) = model.explain(history, "rum")
    assert reason.kind == "popular"
    assert reason.points == pytest.approx(float(model.score([history], items=["rum"])[0, 0]))


def test_too_few_segments_are_refused():
    with pytest.raises(BadInputError, match="segments"):
        Popularity().fit(MARKETS, segments=["north"])


def test_leaning_on_nobody_is_refused():
    with pytest.raises(BadInputError, match="lean"):
        Popularity(lean=0.0).fit(MARKETS)


def fashions(n_users=120):
    """Each week has a hit of its own, which all who come that week take; nobody comes two weeks running."""
    lines = [(user, week, week * 7 * DAY) for user in range(n_users) for week in range(user % 6, 40, 6)]
    lines += [(user, week - 1, week * 7 * DAY) for user in range(n_users) for week in range(user % 6 + 6, 40, 6)]
    return Interactions.from_arrays(*zip(*lines, strict=True))


def test_a_half_life_left_open_follows_fashions_quickly():
    assert Popularity(half_life=None).fit(fashions()).half_life_ < 120


def test_a_half_life_left_open_stays_where_it_starts_without_dates_or_with_little_data():
    assert Popularity(half_life=None).fit(MARKETS).half_life_ == 120
    rng = np.random.default_rng(0)
    undated = Interactions.from_arrays(rng.integers(0, 90, 900), rng.integers(0, 40, 900))
    assert Popularity(half_life=None).fit(undated).half_life_ == 120
