"""From scores to a list."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reco_engine.data.interactions import History, Interactions
from reco_engine.errors import BadInputError
from reco_engine.ranking import Blend, Diversity, FeatureLikeness, Hybrid, Silence, recommend
from reco_engine.reasons import explained
from reco_engine.recommenders import Popularity
from reco_engine.recommenders.registry import create
from tests.reco_engine.conftest import AT, HISTORY


@pytest.fixture(scope="module")
def hybrid(data):
    parts = {name: create(name).fit(*data, at=AT) for name in ("popularity", "item_cf", "user_cf", "content")}
    return Hybrid(parts, Blend.default(dict.fromkeys(parts, 1.0)))


def test_what_was_seen_is_not_recommended(data):
    model = Popularity().fit(*data)
    (ranking,) = recommend(model, [History([1, 2, 3])], n=30)
    assert not {1, 2, 3} & set(ranking.item_ids)
    assert len(ranking.item_ids) == 27


def test_a_hybrid_list_says_why_and_leaves_out_what_must_not_be_shown(hybrid):
    allowed = hybrid.item_ids % 2 == 0
    ranking = hybrid.rank(HISTORY, 8, allowed=allowed, exclude={4}, at=AT)
    assert len(ranking.item_ids) == 8
    assert all(item % 2 == 0 and item != 4 for item in ranking.item_ids)
    assert list(ranking.scores) == sorted(ranking.scores, reverse=True)
    for each, score in zip(explained(hybrid, HISTORY, ranking.item_ids, at=AT), ranking.scores, strict=True):
        assert each.score == pytest.approx(score, rel=1e-5)
        assert math.fsum(reason.points for reason in each.reasons) == pytest.approx(each.score, rel=1e-6)


def test_a_part_that_takes_no_part_contributes_no_reason(hybrid):
    some = hybrid.taking_part({"popularity"})
    ranking = some.rank(HISTORY, 5, at=AT)
    reasons = [reason for each in explained(some, HISTORY, ranking.item_ids, at=AT) for reason in each.reasons]
    assert {reason.source for reason in reasons} == {"popularity"}


def test_a_hybrid_without_any_part_gives_an_empty_list(hybrid):
    assert hybrid.taking_part(()).rank(HISTORY, 5, at=AT).item_ids == ()


def test_fitting_a_hybrid_fits_its_parts_and_their_weights(data):
    model = Hybrid({name: create(name) for name in ("popularity", "item_cf")}).fit(*data, at=AT)
    (scores,) = model.score([HISTORY], at=AT)
    assert len(scores) == 30
    assert model.blend.weights_[:, 2].sum() == pytest.approx(1.0)  # that of 10 to 99 events, which all users have


def test_a_history_of_nothing_is_ranked_by_popularity(hybrid):
    (popular,) = recommend(hybrid.parts["popularity"], [History([])], n=5)
    assert hybrid.rank(History([]), 5, at=AT).item_ids == popular.item_ids


def test_a_diverse_list_has_more_shelves_the_same_scores_and_a_bounded_loss(hybrid):
    shelves = [f"Shelf {item % 4}" for item in hybrid.item_ids]
    diversity = Diversity(FeatureLikeness.of_groups(hybrid.item_ids, shelves), strength=0.7, max_loss=0.2)
    plain = hybrid.rank(HISTORY, 4, at=AT)
    diverse = hybrid.rank(HISTORY, 4, at=AT, diversity=diversity)
    assert len({item % 4 for item in diverse.item_ids}) > len({item % 4 for item in plain.item_ids})
    assert 0.8 * sum(plain.scores) <= sum(diverse.scores) <= sum(plain.scores)
    whole = hybrid.rank(HISTORY, 30, at=AT)
    known = dict(zip(whole.item_ids, whole.scores, strict=True))
    assert diverse.scores == tuple(known[item] for item in diverse.item_ids)


def test_a_quiet_list_ends_where_little_is_likely(hybrid):
    plain = hybrid.rank(HISTORY, 8, at=AT)
    between = (plain.scores[2] + plain.scores[3]) / 2
    scores = [np.asarray([between + 1e-9, between - 1e-9])] * 60
    silence = Silence().fit_lists(scores, [np.asarray([True, False])] * 60, [len(HISTORY)] * 60)
    quiet = hybrid.rank(HISTORY, 8, at=AT, silence=silence, least_chance=0.9)
    assert quiet.item_ids == plain.item_ids[:3]
    assert quiet.scores == plain.scores[:3]
    assert hybrid.rank(HISTORY, 8, at=AT, silence=silence) == plain


def test_places_given_as_what_is_allowed_are_refused(hybrid):
    with pytest.raises(BadInputError, match="allowed"):
        hybrid.rank(HISTORY, 4, allowed=np.arange(5))


def test_a_list_is_not_short_while_enough_items_may_be_shown():
    # Who took 0 took 1 as well, and nobody took 0 and 2 or 3: one candidate is proposed, three are wanted.
    model = Hybrid({"item_cf": create("item_cf")}).fit(Interactions.from_arrays([1, 1, 2, 2], [0, 1, 2, 3]))
    ranking = model.rank(History([0]), 3, exclude=[0])
    assert ranking.item_ids == (1, 2, 3)
    assert ranking.scores[0] > ranking.scores[1] == ranking.scores[2] == 0.0


def test_points_of_a_rule_lift_an_item_that_nobody_proposed(hybrid):
    whole = hybrid.rank(HISTORY, 30, at=AT)
    last, score = whole.item_ids[-1], whole.scores[-1]
    lifted = hybrid.rank(HISTORY, 1, at=AT, n_candidates=1, bonus={last: 100.0, "no such item": 200.0})
    assert lifted.item_ids == (last,)
    assert lifted.scores[0] == pytest.approx(score + 100.0)


def test_what_is_spare_follows_the_list_and_changes_nothing_of_it(hybrid):
    shelves = [f"Shelf {item % 4}" for item in hybrid.item_ids]
    diversity = Diversity(FeatureLikeness.of_groups(hybrid.item_ids, shelves), strength=0.7, max_loss=0.2)
    diverse = hybrid.rank(HISTORY, 4, at=AT, diversity=diversity)
    longer = hybrid.rank(HISTORY, 4, at=AT, diversity=diversity, spare=3)
    best = [item for item in hybrid.rank(HISTORY, 30, at=AT).item_ids if item not in diverse.item_ids]
    assert longer.item_ids == (*diverse.item_ids, *best[:3])


def test_what_the_shop_adds_to_a_score_makes_nothing_more_likely(hybrid):
    plain = hybrid.rank(HISTORY, 8, at=AT)
    between = (plain.scores[2] + plain.scores[3]) / 2
    scores = [np.asarray([between + 1e-9, between - 1e-9])] * 60
    silence = Silence().fit_lists(scores, [np.asarray([True, False])] * 60, [len(HISTORY)] * 60)
    bonus = {plain.item_ids[-1]: 100.0}
    assert hybrid.rank(HISTORY, 8, at=AT, silence=silence, least_chance=0.9, bonus=bonus) == hybrid.rank(
        HISTORY, 3, at=AT
    )
