"""A short list where little is likely."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reco_engine.artifacts import load, save
from reco_engine.data.interactions import History
from reco_engine.data.splits import Case
from reco_engine.errors import BadInputError
from reco_engine.ranking import Silence
from reco_engine.types import Ranking


def lists(n_lists, chance, *, size, seed=0, n_items=10):
    """Lists of random scores, of which items were taken with ``chance(score)``."""
    rng = np.random.default_rng(seed)
    scores = [np.sort(rng.random(n_items))[::-1] for _ in range(n_lists)]
    return scores, [rng.random(n_items) < chance(each) for each in scores], [size] * n_lists


def joined(*drawn):
    return tuple([each for part in column for each in part] for column in zip(*drawn, strict=True))


def test_the_chance_is_the_share_that_was_taken_where_scores_do_not_rise_with_it():
    # Scores 1, 2, 3: taken 0 of 2, 2 of 2, 1 of 2. The last two break the order and are pooled: 3 of 4.
    scores = [np.asarray([3.0, 2.0, 1.0])] * 2
    taken = [np.asarray([True, True, False]), np.asarray([False, True, False])]
    silence = Silence(n_enough=2, n_together=1).fit_lists(scores, taken, [5, 5])
    assert silence.chances(np.asarray([0.0, 1.0, 1.5, 2.0, 3.0, 9.0]), 5) == pytest.approx(
        [0, 0, 0.375, 0.75, 0.75, 0.75]
    )


def test_one_purchase_at_the_top_does_not_make_the_top_certain():
    # Of 60 lists of one item the best alone was taken: it is one of its 30 neighbours.
    scores = [np.asarray([float(n)]) for n in range(60)]
    taken = [np.asarray([n == 59]) for n in range(60)]
    silence = Silence(n_together=30).fit_lists(scores, taken, [5] * 60)
    assert silence.chances(np.asarray([99.0, 59.0, 0.0]), 5) == pytest.approx([1 / 30, 1 / 30, 0.0])


def test_chances_are_those_of_later_lists():
    silence = Silence().fit_lists(*lists(2000, lambda score: 0.3 * score**2, size=20))
    scores, taken, _ = lists(2000, lambda score: 0.3 * score**2, size=20, seed=1)
    chances = silence.chances(np.concatenate(scores), 20)
    happened = np.concatenate(taken)
    for low in (0.0, 0.05, 0.1, 0.15, 0.2):
        mine = (chances >= low) & (chances < low + 0.05)
        assert happened[mine].mean() == pytest.approx(chances[mine].mean(), abs=0.02)


def test_each_history_size_has_its_own_chances():
    short = lists(400, lambda score: 0.1 * score, size=2, seed=1)
    long = lists(400, lambda score: 0.8 * score, size=50, seed=2)
    silence = Silence().fit_lists(*joined(short, long))
    assert silence.chances(np.asarray([0.9]), 2)[0] == pytest.approx(0.09, abs=0.03)
    assert silence.chances(np.asarray([0.9]), 50)[0] == pytest.approx(0.72, abs=0.08)


def test_a_history_size_of_few_lists_borrows_from_all_of_them():
    few = lists(10, lambda score: 0.0 * score, size=500, seed=1)
    many = lists(400, lambda score: 0.5 * score, size=20, seed=2)
    silence = Silence(n_enough=50).fit_lists(*joined(few, many))
    assert silence.chances(np.asarray([0.8]), 500)[0] == pytest.approx(0.4, abs=0.06)
    assert silence.chances(np.asarray([0.8]), 0)[0] == silence.chances(np.asarray([0.8]), 500)[0]


@pytest.mark.parametrize("drawn", [([], [], []), lists(49, lambda score: score, size=20)])
def test_too_few_lists_know_nothing_and_cut_nothing(drawn):
    silence = Silence(n_enough=50).fit_lists(*drawn)
    ranking = Ranking(("a", "b"), (0.9, 0.1))
    assert np.isnan(silence.chances(np.asarray([0.5]), 20)).all()
    assert silence.cut(ranking, 20, 0.99) == ranking


def test_lists_without_items_know_nothing():
    silence = Silence(n_enough=2).fit_lists([np.empty(0)] * 9, [np.empty(0, bool)] * 9, [3] * 9)
    assert np.isnan(silence.chances(np.asarray([0.5]), 3)).all()


def test_where_nothing_was_ever_taken_nothing_is_likely():
    silence = Silence().fit_lists(*lists(100, lambda score: 0.0 * score, size=20))
    assert silence.cut(Ranking(("a",), (0.9,)), 20, 0.001) == Ranking((), ())
    assert silence.cut(Ranking(("a",), (0.9,)), 20, 0.0) == Ranking(("a",), (0.9,))


@given(st.lists(st.floats(-2.0, 2.0), max_size=20), st.floats(0.0, 1.0), st.integers(0, 300))
def test_what_is_left_keeps_its_order_and_its_scores(scores, least_chance, size):
    silence = Silence(n_enough=10).fit_lists(*lists(60, lambda score: score, size=20))
    ranking = Ranking(tuple(range(len(scores))), tuple(scores))
    short = silence.cut(ranking, size, least_chance)
    assert list(short.item_ids) == sorted(short.item_ids)
    assert short.scores == tuple(scores[item] for item in short.item_ids)
    left_out = set(ranking.item_ids) - set(short.item_ids)
    assert all(scores[gone] <= score for gone in left_out for score in short.scores)


def test_it_learns_from_the_lists_of_a_model_and_what_was_taken_after():
    # Rank one is taken by everybody, rank two by nobody.
    def rank(history):
        return Ranking((history.items[0] + 100, history.items[0] + 200), (2.0, 1.0))

    cases = [Case(History([n]), frozenset({n + 100})) for n in range(60)]
    silence = Silence().fit(rank, cases)
    assert silence.cut(rank(History([7])), 1, 0.5).item_ids == (107,)


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(BadInputError, match="finite"):
        Silence().fit_lists([np.asarray([np.nan])], [np.asarray([True])], [1])


def test_the_same_lists_give_the_same_bytes_on_disk(tmp_path):
    drawn = lists(200, lambda score: score, size=20)
    one, two = Silence().fit_lists(*drawn), Silence().fit_lists(*drawn)
    assert save(one, tmp_path / "a").sha256 == save(two, tmp_path / "b").sha256


def test_chances_come_back_from_disk_as_they_were(tmp_path):
    silence = Silence(n_together=20).fit_lists(*lists(200, lambda score: score, size=20))
    save(silence, tmp_path / "a")
    scores = np.linspace(-1.0, 2.0, 50)
    np.testing.assert_array_equal(load(tmp_path / "a").chances(scores, 20), silence.chances(scores, 20))
