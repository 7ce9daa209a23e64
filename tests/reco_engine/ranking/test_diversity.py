"""Less of the same in one list, within what the caller lets it cost."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reco_engine.errors import BadInputError
from reco_engine.ranking import Diversity, FeatureLikeness
from reco_engine.ranking.diversity import diversified

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
SHARES = st.floats(0.0, 1.0)


def of_shelves(shelves):
    groups = np.asarray(shelves)
    return lambda place: (groups == groups[place]).astype(float)


@st.composite
def candidates(draw, numbers=NUMBERS):
    scores = np.asarray(draw(st.lists(numbers, min_size=1, max_size=25)))
    shelves = draw(st.lists(st.integers(0, 3), min_size=scores.size, max_size=scores.size))
    return scores, shelves, draw(st.integers(1, 12))


def test_the_second_item_is_the_best_of_another_shelf_when_that_is_worth_it():
    # Scores stretch to 1, .9, .8, 0. Second pick: tea .5*.9-.5 = -.05, soap .5*.8 = .4. Third: tea, over cheese at 0
    # only when likeness does not weigh it down: -.05 against 0.
    scores, shelves = np.asarray([10.0, 9.0, 8.0, 0.0]), ["tea", "tea", "soap", "cheese"]
    assert diversified(scores, of_shelves(shelves), 3, strength=0.5, max_loss=1.0).tolist() == [0, 2, 3]


def test_an_item_that_would_cost_too_much_is_not_chosen():
    # The best three sum to 27; losing the 9 for the 0 leaves 18, two thirds of it.
    scores, shelves = np.asarray([10.0, 9.0, 8.0, 0.0]), ["tea", "tea", "soap", "cheese"]
    dear = diversified(scores, of_shelves(shelves), 3, strength=0.5, max_loss=0.32)
    assert dear.tolist() == [0, 2, 1]
    paid = diversified(scores, of_shelves(shelves), 3, strength=0.5, max_loss=0.34)
    assert paid.tolist() == [0, 2, 3]


@given(candidates(st.floats(0.0, 1e6)), SHARES, SHARES)
def test_no_list_loses_more_of_its_score_than_was_allowed(drawn, strength, max_loss):
    scores, shelves, n = drawn
    chosen = diversified(scores, of_shelves(shelves), n, strength=strength, max_loss=max_loss)
    best = sum(map(Fraction, sorted(scores.tolist(), reverse=True)[:n]))
    assert sum(Fraction(score) for score in scores[chosen].tolist()) >= (1 - Fraction(max_loss)) * best


@given(candidates(), SHARES, SHARES)
def test_scores_below_zero_lose_no_more_than_that_share_of_their_sizes(drawn, strength, max_loss):
    scores, shelves, n = drawn
    chosen = diversified(scores, of_shelves(shelves), n, strength=strength, max_loss=max_loss)
    best = list(map(Fraction, sorted(scores.tolist(), reverse=True)[:n]))
    lost = sum(best) - sum(Fraction(score) for score in scores[chosen].tolist())
    assert 0 <= lost <= Fraction(max_loss) * sum(map(abs, best))


@given(candidates(), SHARES, SHARES)
def test_a_list_has_as_many_items_as_without_and_none_twice(drawn, strength, max_loss):
    scores, shelves, n = drawn
    chosen = diversified(scores, of_shelves(shelves), n, strength=strength, max_loss=max_loss)
    assert len(set(chosen.tolist())) == chosen.size == min(n, scores.size)
    assert scores[chosen[0]] == scores.max()


@given(candidates(), SHARES)
def test_with_nothing_to_lose_the_same_scores_are_listed(drawn, strength):
    scores, shelves, n = drawn
    chosen = diversified(scores, of_shelves(shelves), n, strength=strength, max_loss=0.0)
    assert sorted(scores[chosen].tolist(), reverse=True) == sorted(scores.tolist(), reverse=True)[:n]


@given(candidates(), SHARES)
def test_without_strength_the_order_is_that_of_the_scores(drawn, max_loss):
    scores, shelves, n = drawn
    chosen = diversified(scores, of_shelves(shelves), n, strength=0.0, max_loss=max_loss)
    assert chosen.tolist() == sorted(range(scores.size), key=lambda place: (-scores[place], place))[:n]


def test_equals_come_by_place():
    assert diversified(np.ones(5), of_shelves([1, 1, 2, 2, 3]), 4, strength=0.5, max_loss=0.0).tolist() == [0, 2, 4, 1]


def test_only_the_best_are_looked_at_and_likeness_is_asked_once_less_than_items_are_chosen():
    asked = []

    def likeness(place):
        asked.append(place)
        return (np.arange(1000) < 50).astype(float)  # those beyond the first fifty are like none of them

    chosen = diversified(np.arange(1000.0, 0, -1), likeness, 5, strength=1.0, max_loss=1.0, n_considered=50)
    assert asked == chosen[:-1].tolist()
    assert chosen.max() < 50


def test_items_without_an_opinion_and_lists_of_nothing_stay_out():
    scores = np.asarray([np.nan, 2.0, np.nan, 1.0])
    assert diversified(scores, of_shelves([0, 0, 1, 0]), 4).tolist() == [1, 3]
    assert diversified(scores, of_shelves([0, 0, 1, 0]), 0).tolist() == []
    assert diversified(np.empty(0), of_shelves([]), 3).tolist() == []


@pytest.mark.parametrize("wrong", [{"strength": -0.1}, {"strength": 1.1}, {"max_loss": 2.0}, {"max_loss": np.nan}])
def test_what_is_no_share_is_refused(wrong):
    with pytest.raises(BadInputError, match=next(iter(wrong))):
        diversified(np.ones(3), of_shelves([0, 1, 2]), 2, **wrong)


def test_likeness_is_the_cosine_of_what_two_items_are_made_of():
    alike = FeatureLikeness.of(np.asarray([1, 2, 3, 4]), np.asarray([[3.0, 4.0], [3.0, 0.0], [0.0, 2.0], [0.0, 0.0]]))
    assert alike.among(np.asarray([3, 1, 99, 4]))(1) == pytest.approx([0.8, 1.0, 0.0, 0.0])
    assert alike.among(np.asarray([3, 1, 99, 4]))(2) == pytest.approx([0.0] * 4)


def test_items_of_one_shelf_are_alike_and_those_of_none_are_like_nothing():
    alike = FeatureLikeness.of_groups(np.asarray(["a", "b", "c", "d"]), ["tea", "tea", "", ""])
    assert alike.among(np.asarray(["a", "b", "c", "d"]))(0).tolist() == [1.0, 1.0, 0.0, 0.0]
    assert alike.among(np.asarray(["a", "b", "c", "d"]))(2).tolist() == [0.0] * 4


def test_features_that_do_not_fit_are_refused():
    with pytest.raises(BadInputError, match="one row per item: 3, not 2"):
        FeatureLikeness.of(np.asarray([1, 2, 3]), np.ones((2, 2)))
    with pytest.raises(BadInputError, match="zero or more"):
        FeatureLikeness.of(np.asarray([1, 2]), np.asarray([[1.0], [-1.0]]))


def test_candidates_are_diversified_by_what_the_shop_knows_of_them():
    diversity = Diversity(
        FeatureLikeness.of_groups(np.asarray([10, 20, 30, 40]), ["tea", "tea", "soap", "tea"]),
        strength=0.5, max_loss=0.5, n_considered=3,
    )  # fmt: skip
    chosen = diversity.places(np.asarray([40, 30, 20, 10]), np.asarray([1.0, 7.0, 8.0, 9.0]), 2)
    assert chosen.tolist() == [3, 1]
