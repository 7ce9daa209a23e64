"""Whole shoppers are kept while they fit, and some of them where they do not."""

from __future__ import annotations

import numpy as np

from reco_engine.spark import Part
from shop_reco.recommendations.training.samples import Sample


def part(users):
    users = np.asarray(users, dtype=np.int64)
    return Part(users, users % 7, np.arange(users.size, dtype=float), np.ones(users.size))


def drawn(most, *parts):
    sample = Sample(most)
    for each in parts:
        sample.take(each)
    return sample.interactions()


def test_everybody_is_kept_who_fits():
    assert len(drawn(10, part(range(10)))) == 10


def test_of_more_whole_shoppers_are_kept_and_never_too_many():
    everybody = np.repeat(np.arange(1000), 5)
    some = drawn(1000, part(everybody))
    assert 300 < len(some) <= 1000
    assert set(np.bincount(some.users).tolist()) == {5}


def test_the_same_shoppers_are_kept_however_they_come():
    users = np.repeat(np.arange(500), 3)
    whole = drawn(200, part(users))
    pieces = drawn(200, *(part(each) for each in np.array_split(users, 50)))
    assert whole.user_ids.tolist() == pieces.user_ids.tolist()


def test_nobody_is_no_sample():
    assert len(drawn(10, part([]))) == 0
