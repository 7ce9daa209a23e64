"""Groups are found where there are some, the same ones each time, and named truly."""

from __future__ import annotations

import json

import numpy as np

from reco_engine.portrait.segments import FEATURES, PARTS, Habits, Segmentation, found_segments, named
from reco_engine.seeds import generator


def two_kinds(n=60):
    """Half shop often and lately with big baskets, half seldom and long ago with small ones."""
    random, half = generator(3, "test_segments"), n // 2
    return Habits(
        away=np.r_[random.integers(0, 6, half), random.integers(60, 90, n - half)],
        orders=np.r_[random.integers(30, 45, half), random.integers(2, 5, n - half)],
        spent=np.r_[random.integers(90_000, 120_000, half), random.integers(900, 1200, n - half)],
        pieces=np.r_[random.integers(600, 700, half), random.integers(4, 8, n - half)],
    )


def test_two_kinds_of_shoppers_are_told_apart_and_named_by_what_they_do():
    habits = two_kinds()
    found = found_segments(habits)
    groups = found.groups(habits)
    assert len(found.sizes) == 2
    assert found.sizes == (30, 30)
    assert len(set(groups[:30])) == 1
    assert len(set(groups[30:])) == 1
    often, seldom = (set(found.names[group]) for group in (groups[0], groups[-1]))
    assert often <= {"lately", "often", "much_money", "big_baskets"}
    assert seldom <= {"away", "seldom", "little_money", "small_baskets"}


def test_the_same_shoppers_give_the_same_bytes_and_reading_them_the_same_groups():
    habits = two_kinds()
    first, second = found_segments(habits), found_segments(habits)
    assert json.dumps(first.to_json()) == json.dumps(second.to_json())
    read = Segmentation.from_json(json.loads(json.dumps(first.to_json())))
    assert read == first


def test_no_group_is_smaller_than_may_be_shown():
    habits = two_kinds(12)
    lonely = Habits(
        away=np.r_[habits.away, 5000], orders=np.r_[habits.orders, 900], spent=np.r_[habits.spent, 10**9],
        pieces=np.r_[habits.pieces, 2],
    )  # fmt: skip
    found = found_segments(lonely, min_size=5)
    assert found is None or min(found.sizes) >= 5
    unguarded = found_segments(lonely, min_size=1)
    assert min(unguarded.sizes) == 1


def test_shoppers_who_are_all_alike_or_few_make_no_groups():
    same = np.full(40, 7)
    assert found_segments(Habits(away=same, orders=same, spent=same, pieces=same)) is None
    assert found_segments(two_kinds(8)) is None


def test_no_two_groups_share_a_name_and_each_name_is_true_of_its_centre():
    random = generator(1, "test_names")
    for _ in range(50):
        centres = random.normal(0, 1.2, (random.integers(2, 7), len(FEATURES)))
        names = named(centres)
        if names is None:
            continue
        assert len({frozenset(name) for name in names}) == len(centres)
        for centre, name in zip(centres, names, strict=True):
            true = {PARTS[feature][int(value > 0)] for feature, value in zip(FEATURES, centre, strict=True)}
            assert set(name) <= true or name == ("typical",)


def test_a_centre_in_the_middle_is_like_most():
    assert named(np.zeros((1, 4))) == (("typical",),)
    assert named(np.zeros((2, 4))) is None
