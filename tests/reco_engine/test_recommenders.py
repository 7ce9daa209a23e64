"""The promise of every recommender on the shelf, and one case of each worked out by hand."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_engine.artifacts import load, save
from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions
from reco_engine.errors import ArtifactError, BadInputError
from reco_engine.ranking import Blend, Hybrid, recommend
from reco_engine.recommenders import BuyAgain, ItemCF, Popularity, UserCF
from reco_engine.recommenders.registry import BUILT_IN, create

DAY = 86_400


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(5)
    users, items = rng.integers(0, 40, 600), rng.integers(0, 30, 600)
    catalogue = Catalogue.from_columns(
        list(range(30)),
        text=[f"thing {n}" for n in range(30)],
        category=[("All", f"Shelf {n % 4}") for n in range(30)],
        brand=[f"Brand {n % 3}" for n in range(30)],
        price=[1.0 + n for n in range(30)],
    )
    return Interactions.from_arrays(users, items, rng.integers(0, 90, 600) * DAY), catalogue


@pytest.fixture(scope="module", params=BUILT_IN)
def model(request, data):
    return create(request.param).fit(*data, seed=7, at=90 * DAY)


HISTORY = History([3, 7, 11, 99_999], [80 * DAY, 85 * DAY, 89 * DAY, 89 * DAY], [1.0, 0.5, 1.0, 1.0])
AT = 90.0 * DAY


def test_reasons_sum_to_the_score(model):
    (scores,) = model.score([HISTORY], at=AT)
    opinions = np.flatnonzero(~np.isnan(scores))
    assert opinions.size
    for place in opinions:
        reasons = model.explain(HISTORY, model.item_ids[place].item(), at=AT)
        total = math.fsum(reason.points for reason in reasons)
        assert total == pytest.approx(float(scores[place]), rel=1e-5, abs=1e-6)


def test_scoring_some_items_equals_scoring_all_of_them(model):
    (whole,) = model.score([HISTORY], at=AT)
    wanted = model.item_ids[::3].tolist()
    (some,) = model.score([HISTORY], items=[*wanted, -5], at=AT)
    np.testing.assert_allclose(some[:-1], whole[::3], rtol=1e-5, atol=1e-6)
    assert np.isnan(some[-1])


def test_the_same_data_and_seed_give_the_same_bytes(model, data, tmp_path):
    again = create(model.name).fit(*data, seed=7, at=90 * DAY)
    assert save(model, tmp_path / "a").sha256 == save(again, tmp_path / "b").sha256


def test_a_model_comes_back_from_disk_as_it_was(model, tmp_path):
    manifest = save(model, tmp_path / "a")
    back = load(tmp_path / "a", sha256=manifest.sha256)
    np.testing.assert_array_equal(back.score([HISTORY], at=AT), model.score([HISTORY], at=AT))


def test_a_flipped_bit_is_refused_before_anything_is_mapped(model, tmp_path):
    manifest = save(model, tmp_path / "a")
    victim = tmp_path / "a" / sorted(manifest.files)[0]
    content = bytearray(victim.read_bytes())
    content[-1] ^= 1
    victim.write_bytes(bytes(content))
    with pytest.raises(ArtifactError, match=victim.name):
        load(tmp_path / "a")


def test_an_empty_history_is_answered(model):
    (scores,) = model.score([History([])], at=AT)
    assert not np.isinf(scores).any()


def test_textbook_cosine_of_two_items_by_hand():
    # a = (1, 1, 0), b = (1, 1, 1), so a.b / (|a||b|) = 2 / sqrt(2 * 3)
    interactions = Interactions.from_arrays([1, 2, 1, 2, 3], ["a", "a", "b", "b", "b"])
    model = ItemCF(activity=0, source_exponent=0.5, target_exponent=0.5).fit(interactions)
    (score,) = model.score([History(["a"])], items=["b"])[0]
    assert score == pytest.approx(2 / math.sqrt(6))


def test_a_pair_with_too_few_shoppers_behind_it_is_never_used():
    interactions = Interactions.from_arrays([1, 2, 1, 2, 3], ["a", "a", "b", "b", "b"])
    model = ItemCF(min_support=3).fit(interactions)
    assert model.score([History(["a"])], items=["b"])[0][0] == 0
    assert model.explain(History(["a"]), "b") == ()


def test_nearest_shopper_by_cosine_by_hand():
    # u1 = {a, b}, u2 = {c}: to a history of {a} the cosines are 1/sqrt(2) and 0
    interactions = Interactions.from_arrays(["u1", "u1", "u2"], ["a", "b", "c"])
    model = UserCF(popularity_exponent=0).fit(interactions)
    users, cosines = model.neighbours(History(["a"]))
    assert users.tolist() == [0]
    assert cosines == pytest.approx([1 / math.sqrt(2)])


def test_a_predicted_rating_is_the_mean_of_the_neighbours_ratings():
    interactions = Interactions.from_arrays([1, 1, 2, 2], ["a", "b", "a", "b"], ratings=[5, 2, 5, 4])
    model = UserCF().fit(interactions)
    assert model.predict_rating(History(["a"]), "b") == pytest.approx(3.0)


def test_popularity_counts_a_purchase_half_after_a_half_life():
    interactions = Interactions.from_arrays([1, 2], ["old", "new"], [0, 60 * DAY])
    model = Popularity(half_life=60).fit(interactions, at=60 * DAY)
    assert model.scores_.tolist() == pytest.approx([math.log1p(1.0), math.log1p(0.5)])


def test_buy_again_has_an_opinion_of_the_shoppers_own_items_only():
    interactions = Interactions.from_arrays([1, 1], ["a", "b"])
    model = BuyAgain().fit(interactions)
    (a, b) = model.score([History(["a", "a"])])[0]
    assert a == 2
    assert np.isnan(b)


def test_a_hybrid_list_says_why_and_leaves_out_what_must_not_be_shown(data):
    parts = {name: create(name).fit(*data, at=AT) for name in ("popularity", "item_cf", "user_cf", "content")}
    hybrid = Hybrid(parts, Blend.default(dict.fromkeys(parts, 1.0)))
    allowed = hybrid.item_ids % 2 == 0
    slate = hybrid.recommend(HISTORY, 8, allowed=allowed, exclude={4}, at=AT)
    assert len(slate) == 8
    assert all(each.item_id % 2 == 0 and each.item_id != 4 for each in slate)
    assert [each.score for each in slate] == sorted((each.score for each in slate), reverse=True)
    for each in slate:
        assert math.fsum(reason.points for reason in each.reasons) == pytest.approx(each.score, rel=1e-6)


def test_a_part_switched_off_contributes_no_reason(data):
    parts = {name: create(name).fit(*data, at=AT) for name in ("popularity", "item_cf")}
    hybrid = Hybrid(parts, Blend.default(dict.fromkeys(parts, 1.0)))
    slate = hybrid.recommend(HISTORY, 5, at=AT, enabled={"popularity"})
    assert {reason.source for each in slate for reason in each.reasons} == {"popularity"}


def test_what_was_seen_is_not_recommended(data):
    model = Popularity().fit(*data)
    (ranking,) = recommend(model, [History([1, 2, 3])], n=30)
    assert not {1, 2, 3} & set(ranking.item_ids)
    assert len(ranking.item_ids) == 27


@pytest.mark.parametrize(
    ("column", "value"),
    [("timestamps", [math.nan]), ("weights", [math.inf]), ("weights", [-1.0]), ("ratings", [math.nan])],
)
def test_bad_numbers_are_refused_by_name(column, value):
    with pytest.raises(BadInputError, match=column):
        Interactions.from_arrays([1], [1], **{column: value})


def test_nothing_to_learn_from_is_told():
    with pytest.raises(BadInputError, match="empty"):
        Popularity().fit(Interactions.from_arrays([], []))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 8), st.integers(0, 40)), min_size=1, max_size=40))
def test_item_cf_scores_are_finite_and_independent_of_the_order_of_rows(rows):
    users, items, days = zip(*rows, strict=True)
    times = [day * DAY for day in days]
    one = ItemCF().fit(Interactions.from_arrays(users, items, times))
    other = ItemCF().fit(Interactions.from_arrays(users[::-1], items[::-1], times[::-1]))
    history = History(list(items)[:5])
    assert np.isfinite(one.score([history])).all()
    np.testing.assert_allclose(one.score([history]), other.score([history]), rtol=1e-5)


def test_the_engine_imports_neither_django_nor_torch():
    code = (
        "import sys, reco_engine.recommenders, reco_engine.ranking, reco_engine.artifacts;"
        "assert not {'django', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
