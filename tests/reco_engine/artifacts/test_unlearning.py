"""A model fitted after an erasure is, byte for byte, the one of a shop that never had the shopper."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_engine.data.interactions import Interactions
from reco_engine.recommenders.registry import BUILT_IN, create
from tests.reco_engine.conftest import AT, DAY, hash_of

SLOW = {"behaviour_mlp", "content_mlp"}
SMALL = {"n_hidden": 4, "n_epochs": 1}
row = st.tuples(st.integers(0, 9), st.integers(0, 29), st.integers(0, 89), st.sampled_from([1.0, 0.5, 3.0]))
histories = st.lists(row, min_size=30, max_size=80)


def interactions_of(rows):
    users, items, days, weights = (np.asarray(column) for column in zip(*rows, strict=True))
    return Interactions.from_arrays(users, items, days * DAY, weights)


def check(kind, catalogue, rows, erased, order):
    clean = [each for each in rows if each[0] not in erased]
    if not clean:
        return
    everyone = interactions_of(rows)
    left = everyone.where(~np.isin(everyone.user_ids[everyone.users], list(erased)))
    never = interactions_of([clean[place] for place in np.random.default_rng(order).permutation(len(clean))])
    one, other = (fitted(kind, each, catalogue) for each in (left, never))
    assert hash_of(one) == hash_of(other)


def fitted(kind, interactions, catalogue):
    return create(kind, **(SMALL if kind in SLOW else {})).fit(interactions, catalogue, seed=7, at=AT)


@pytest.mark.parametrize("kind", sorted(set(BUILT_IN) - SLOW))
@settings(max_examples=6, deadline=None)
@given(rows=histories, erased=st.sets(st.integers(0, 9), min_size=1, max_size=3), order=st.integers(0, 9))
def test_a_quick_kind(kind, data, rows, erased, order):
    check(kind, data[1], rows, erased, order)


@pytest.mark.parametrize("kind", sorted(SLOW))
@settings(max_examples=3, deadline=None)
@given(erased=st.sets(st.integers(0, 39), min_size=1, max_size=5), order=st.integers(0, 9))
def test_a_network(kind, data, erased, order):
    """Of a shop that is large enough to train one."""
    known = data[0]
    days = (known.timestamps / DAY).astype(int)
    columns = (known.user_ids[known.users].tolist(), known.item_ids[known.items].tolist(), days.tolist(), known.weights)
    rows = zip(*columns, strict=True)
    check(kind, data[1], list(rows), erased, order)


def test_the_hash_sees_a_shopper_who_was_left_in(data):
    """The control: with the shopper the bytes differ."""
    interactions, catalogue = data
    without = interactions.where(interactions.users != 3)
    for kind in BUILT_IN:
        one, other = (fitted(kind, each, catalogue) for each in (interactions, without))
        assert hash_of(one) != hash_of(other), kind
