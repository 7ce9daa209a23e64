"""Item-based CF, by hand and for any rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_engine.artifacts import save
from reco_engine.data.interactions import History, Interactions
from reco_engine.errors import EngineError
from reco_engine.ranking import recommend
from reco_engine.recommenders import ItemCF
from reco_engine.recommenders.similarity import Similarity
from tests.reco_engine.conftest import AT, DAY, HISTORY, hash_of

TEXTBOOK = {"activity": 0.0, "source_exponent": 0.5, "target_exponent": 0.5, "spectral_weight": 0.0}
rows = st.tuples(st.integers(0, 9), st.integers(0, 12), st.integers(0, 40))


def dated(events):
    users, items, days = zip(*events, strict=True)
    return Interactions.from_arrays(users, items, [day * DAY for day in days])


def test_textbook_cosine_of_two_items_by_hand():
    # a = (1, 1, 0), b = (1, 1, 1), so a.b / (|a||b|) = 2 / sqrt(2 * 3)
    interactions = Interactions.from_arrays([1, 2, 1, 2, 3], ["a", "a", "b", "b", "b"])
    model = ItemCF(**TEXTBOOK).fit(interactions)
    (score,) = model.score([History(["a"])], items=["b"])[0]
    assert score == pytest.approx(2 / math.sqrt(6))


def test_a_busy_shoppers_pairs_count_less_by_hand():
    # u1 took a and b, u2 a, b and c: with activity 1 the pair (a, b) counts 1/2 + 1/3
    interactions = Interactions.from_arrays([1, 1, 2, 2, 2], ["a", "b", "a", "b", "c"])
    model = ItemCF(1.0, 0.0, 0.0, spectral_weight=0.0).fit(interactions)
    assert model.score([History(["a"])], items=["b", "c"])[0].tolist() == pytest.approx([1 / 2 + 1 / 3, 1 / 3])


def test_only_the_best_targets_of_an_item_are_kept():
    interactions = Interactions.from_arrays([1, 1, 2, 2, 3, 3], ["a", "b", "a", "b", "a", "c"])
    model = ItemCF(**TEXTBOOK, n_targets=1).fit(interactions)
    b, c = model.score([History(["a"])], items=["b", "c"])[0]
    assert b > 0
    assert c == 0


def test_a_pair_with_too_few_shoppers_behind_it_is_never_used():
    interactions = Interactions.from_arrays([1, 2, 1, 2, 3], ["a", "a", "b", "b", "b"])
    for weight in (0.0, 0.5):
        model = ItemCF(min_support=3, spectral_weight=weight).fit(interactions)
        assert model.score([History(["a"])], items=["b"])[0][0] == 0
        assert model.explain(History(["a"]), "b") == ()


def test_enough_shoppers_behind_a_pair_change_nothing_of_it(data):
    one, five = (ItemCF(**TEXTBOOK, n_targets=50, min_support=least).fit(data[0], at=AT) for least in (1, 5))
    free, held = one.score([HISTORY], at=AT), five.score([HISTORY], at=AT)
    assert 0 < (held > 0).sum() <= (free > 0).sum()
    assert (held <= free + 1e-6).all()


def test_the_spectral_term_joins_items_that_no_shopper_took_together():
    """Two shelves; nobody took both the first and the last item of one, yet its smooth directions join them."""
    chains = [(shelf * 10 + n, shelf * 10 + n + k) for shelf in (0, 1) for n in range(6) for k in (0, 1, 2)]
    users = np.repeat(np.arange(len(chains)), 2)
    interactions = Interactions.from_arrays(users, np.ravel(chains))
    without = ItemCF(0.5, 0.5, 0.5, spectral_weight=0.0).fit(interactions)
    with_term = ItemCF(0.5, 0.5, 0.5, spectral_weight=0.5, n_factors=2).fit(interactions)
    history = History([0])
    assert without.score([history], items=[7])[0][0] == 0
    same, other = with_term.score([history], items=[7, 17])[0].tolist()
    assert same > 0
    assert other < 0.1 * same


@settings(max_examples=40, deadline=None)
@given(st.lists(rows, min_size=1, max_size=40), st.lists(rows, min_size=1, max_size=12), st.sampled_from([0.0, 0.3]))
def test_an_update_equals_a_refit_on_everything_with_the_same_frozen_parts_to_the_bit(known, later, weight):
    model = ItemCF(0.5, 0.5, 0.3, 180.0, 60.0, weight, n_factors=3, n_targets=4).fit(dated(known))
    whole = model.refit(dated(known + later))
    model.update(dated(later))
    for name in ("item_ids_", "user_ids_", "starts_", "targets_", "similarities_", "popularity_", "row_weights_"):
        np.testing.assert_array_equal(getattr(model, name), getattr(whole, name))


@settings(max_examples=20, deadline=None)
@given(
    st.lists(rows, min_size=2, max_size=40),
    st.lists(rows, max_size=12),
    st.sets(st.integers(0, 40)),
    st.integers(1, 3),
    st.sampled_from([0.0, 0.3]),
)
def test_a_renewal_equals_a_refit_on_what_came_and_what_stayed_byte_for_byte(known, later, gone, support, weight):
    """Whatever went: single events, all of a shopper, the last event of an item."""
    model = ItemCF(0.5, 0.5, 0.3, 180.0, 60.0, weight, 3, 4, min_support=support).fit(dated(known))
    now = [row for place, row in enumerate(known) if place not in gone] + later
    if not now:
        return
    renewed = model.renewed(dated(now))
    assert hash_of(renewed) == hash_of(model.refit(dated(now)))
    assert hash_of(renewed.renewed(dated(known))) == hash_of(renewed.refit(dated(known)))


def test_a_renewal_computes_the_rows_of_touched_items_and_no_others(monkeypatch):
    """Two shelves; a shopper of the second returned what they took last."""
    shelves = [(user, 10 * (user % 2) + item) for user in range(8) for item in range(3)]
    users, items = np.transpose(shelves)
    model = ItemCF(0.5, 0.5, 0.3, 180.0, 60.0, 0.0, n_targets=5).fit(Interactions.from_arrays(users, items))
    asked = []
    rows_of = Similarity.rows
    monkeypatch.setattr(Similarity, "rows", lambda self, taken, *rest: _noted(asked, taken, rest, rows_of, self))
    model.renewed(Interactions.from_arrays(users[:-1], items[:-1]))
    assert asked == [[10, 11, 12]]


def _noted(asked, taken, rest, rows_of, similarity):
    asked.append(taken.item_ids[rest[0]].tolist())
    return rows_of(similarity, taken, *rest)


def test_a_renewal_of_a_model_without_user_rows_is_a_refit(data):
    model = ItemCF(0.5, 0.5, 0.3, updatable=False).fit(data[0], at=AT)
    assert hash_of(model.renewed(data[0])) == hash_of(model.refit(data[0]))


def test_an_update_can_be_followed_by_another_and_saved(data, tmp_path):
    model = ItemCF(0.5, 0.5, 0.3).fit(data[0], at=AT)
    parts = [Interactions.from_arrays([5, 6], [3, 40], [AT, AT]), Interactions.from_arrays([99], [40], [AT])]
    twice = model.refit(data[0])
    for part in parts:
        twice.update(part)
    both = Interactions.from_arrays([5, 6, 99], [3, 40, 40], [AT, AT, AT])
    once = model.refit(data[0]).update(both)
    np.testing.assert_array_equal(twice.score([HISTORY], at=AT), once.score([HISTORY], at=AT))
    assert save(once, tmp_path / "once").size > 0
    assert twice.update(Interactions.from_arrays([], [])) is twice


def test_a_model_without_user_rows_holds_nobody_and_refuses_an_update(data):
    model = ItemCF(0.5, 0.5, 0.3, updatable=False).fit(data[0], at=AT)
    assert model.user_ids_.size == model.row_items_.size == 0
    with pytest.raises(EngineError, match="updatable"):
        model.update(data[0])


@settings(max_examples=25, deadline=None)
@given(st.lists(rows, min_size=1, max_size=40))
def test_item_cf_scores_are_finite_and_independent_of_the_order_of_rows(events):
    one, other = ItemCF().fit(dated(events)), ItemCF().fit(dated(events[::-1]))
    history = History([item for _, item, _ in events][:5])
    assert np.isfinite(one.score([history])).all()
    np.testing.assert_array_equal(one.score([history]), other.score([history]))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 35), max_size=8), min_size=16, max_size=24),
    st.booleans(),
    st.none() | st.lists(st.booleans(), min_size=30, max_size=30),
    st.integers(0, 31),
)
def test_lists_of_many_shoppers_are_those_of_each_to_the_bit(data, item_cf, histories, exclude_seen, allowed, n):
    mask = None if allowed is None else np.asarray(allowed)
    people = [History(items, [70 * DAY + item for item in items], [item % 3 for item in items]) for items in histories]
    together = recommend(item_cf, people, n, exclude_seen, mask, AT)
    assert together == [recommend(item_cf, [one], n, exclude_seen, mask, AT)[0] for one in people]


@pytest.fixture(scope="module")
def item_cf(data):
    return ItemCF(0.5, 0.5, 0.3, n_targets=10).fit(data[0], at=AT)
