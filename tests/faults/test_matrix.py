"""The quick rows of ``python -m benchmarks.faults`` on one small shop, one after the other."""

from __future__ import annotations

import random

import pytest

from benchmarks.fault_rows.artifacts import caught_flips
from benchmarks.fault_rows.odd_values import at_the_api
from benchmarks.fault_rows.processes import killed, killed_in_promotion
from benchmarks.fault_rows.stage import Stage

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("stage")) as stage:
        yield stage


def test_a_killed_web_process_or_worker_costs_time_and_nothing_else(stage):
    found = killed.__wrapped__(stage, rounds=2, seed=5, victims=("web", "worker and child"))
    assert (found["kills"], found["control"]) == ({"web": 2, "worker and child": 2}, "fires")


def test_a_death_in_the_middle_of_a_promotion_shows_the_old_version_or_the_new(stage):
    found = killed_in_promotion.__wrapped__(stage, rounds=1, seed=5, steps=("record", "switch"))
    assert (found["died_at"], found["control"]) == ({"record": 1, "switch": 1}, "fires")


def test_a_flipped_bit_is_caught_wherever_it_is(stage):
    assert caught_flips(stage, 100, random.Random(5)) == 100


def test_no_number_that_is_none_comes_in_by_the_api(stage):
    told = at_the_api(stage)
    assert sum(told.values()) == 48
    assert "" not in told


def test_after_all_that_the_shop_trains_by_itself_and_has_lost_nothing(stage):
    assert stage.epilogue()["lost"] == 0
