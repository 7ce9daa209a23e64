"""What items are made of, and which of it says anything of taste."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import sparse

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.features import character_ngrams, feature_matrix, key_of, lifts, price_bands, weighted_features


def test_chinese_is_cut_into_runs_of_one_and_two_and_needs_no_dictionary():
    assert sorted(character_ngrams("绿茶")) == sorted(["绿", "茶", "绿茶"])


def test_other_words_are_cut_into_runs_of_three_to_five_with_their_ends():
    assert set(character_ngrams("Tea")) == {" te", "tea", "ea ", " tea", "tea ", " tea "}


def test_two_price_bands_to_each_doubling():
    bands = price_bands(np.asarray([1.0, 2.0, 4.0, math.nan]))
    assert np.diff(bands[:3]).tolist() == [2, 2]
    assert bands[3] == -1


def test_lift_by_hand():
    # four items, the first two with the feature; each of two users takes two items of one kind:
    # of the 4 ordered pairs 2 share the feature; by chance (1/2)^2 x 4 = 1 would
    features = sparse.csr_matrix([[1.0], [1.0], [0.0], [0.0]])
    taken = sparse.csr_matrix([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]])
    assert lifts(features, taken, pseudo_pairs=1e-9) == pytest.approx([math.log(2)])


def test_a_useless_feature_fades_as_behaviour_speaks():
    """Both features sit on half of the items; users keep to the first and take the second as it comes."""
    features = sparse.csr_matrix([[1.0 - n % 2, 1.0 * (n // 2 % 2)] for n in range(8)])
    taken = np.zeros((200, 8))
    for user in range(200):
        taken[user, np.arange(user % 2, 8, 2)] = 1.0
    telling, useless = lifts(features, sparse.csr_matrix(taken))
    assert telling > 0.5
    assert useless == pytest.approx(0.0, abs=0.01)


def test_of_many_users_some_are_drawn_and_the_same_again_by_the_same_seed():
    rng = np.random.default_rng(1)
    features = sparse.random(30, 6, 0.5, format="csr", random_state=2)
    taken = sparse.csr_matrix(rng.random((300, 30)) < 0.2, dtype=float)
    whole = lifts(features, taken)
    some = [lifts(features, taken, rng=np.random.default_rng(4), most_cells=2000) for _ in range(2)]
    np.testing.assert_array_equal(*some)
    assert not np.array_equal(some[0], whole)
    assert np.isfinite(lifts(features, taken, most_cells=1)).all()


def test_blocks_of_users_count_as_all_of_them_at_once():
    features = sparse.random(30, 6, 0.5, format="csr", random_state=2)
    taken = sparse.random(50, 30, 0.3, format="csr", random_state=3)
    cells = int((np.diff(features.indptr)[taken.indices]).sum())
    np.testing.assert_allclose(lifts(features, taken, most_cells=cells), lifts(features, taken))


def test_a_feature_goes_by_the_same_key_in_every_catalogue():
    one = Catalogue.from_columns([1], brand=["Own"], category=[("Tea", "Green")], attributes=[{"size": "L"}])
    _, keys = feature_matrix(one)
    names = [("brand", "Own"), ("category", "Tea"), ("category", "Tea > Green"), ("attribute", "size=L")]
    assert keys.tolist() == sorted(key_of(*name) for name in names)
    other = Catalogue.from_columns([7, 8], brand=["Other", "Own"])
    matrix, same = feature_matrix(other, keys)
    assert same is keys
    assert matrix.toarray()[:, keys.tolist().index(key_of("brand", "Own"))].tolist() == [0, 1]
    assert matrix.nnz == 1


def test_what_is_missing_of_an_item_is_no_feature():
    bare = Catalogue.from_columns(
        [1], text=[""], category=[()], brand=[""], price=[math.nan], attributes=[{"a": None, "b": "", "c": math.nan}]
    )
    assert feature_matrix(bare)[0].nnz == 0


def test_the_ngrams_of_a_text_share_a_length_of_one():
    matrix, _ = feature_matrix(Catalogue.from_columns([1, 2], text=["tea", "绿茶"]))
    np.testing.assert_allclose(matrix.multiply(matrix).sum(axis=1).A1, 1.0)


def test_products_of_weighted_rows_sum_the_shared_weights_over_the_lengths():
    # both have the first feature, of weight 4; lengths 2 and 5^0.5
    rows = weighted_features(sparse.csr_matrix([[1.0, 0.0], [1.0, 1.0]]), np.asarray([4.0, 1.0])).toarray()
    assert rows[0] @ rows[1] == pytest.approx(4 / math.sqrt(2 * math.sqrt(5)))


def test_a_feature_that_few_users_speak_of_keeps_its_guess():
    features = sparse.csr_matrix(np.asarray([[1, 0], [1, 0], [0, 1], [0, 1]], dtype=np.float64))
    taken = sparse.csr_matrix(np.asarray([[1, 1, 0, 0]] * 5 + [[0, 0, 1, 1]], dtype=np.float64))
    free, guarded = (lifts(features, taken, min_support=least) for least in (1, 5))
    nobody = lifts(features, sparse.csr_matrix((1, 4)), min_support=5)
    assert guarded[0] == free[0]
    assert guarded[1] == nobody[1]
    assert free[1] != nobody[1]
