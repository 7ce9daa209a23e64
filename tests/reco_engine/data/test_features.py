"""What items are made of, and which of it says anything of taste."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import sparse

from reco_engine.data.features import character_ngrams, lifts, price_bands


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
