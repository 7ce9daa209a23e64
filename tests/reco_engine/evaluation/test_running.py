"""Settings as a command line gives them, a hybrid beside its parts, and what a fit found itself."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from reco_engine.errors import BadInputError
from reco_engine.evaluation import memory, task_of
from reco_engine.evaluation.protocol import ranked_lists
from reco_engine.evaluation.running import compare, parse_settings
from reco_engine.ranking import Hybrid
from reco_engine.ranking.blending import Blend
from reco_engine.recommenders import Popularity


def test_a_value_is_json_where_it_is_and_a_string_where_it_is_not():
    assert parse_settings(["item_cf.n_targets=100", "item_cf.activity=null", "x.y=a=b"]) == {
        "item_cf": {"n_targets": 100, "activity": None},
        "x": {"y": "a=b"},
    }


@pytest.mark.parametrize("text", ["item_cf=3", "item_cf.n_targets", ".n_targets=3", "item_cf.=3"])
def test_a_setting_of_another_form_is_refused(text):
    with pytest.raises(BadInputError, match=r"RECOMMENDER\.SETTING=VALUE"):
        parse_settings([text])


def test_each_is_held_against_the_baseline_and_says_what_its_fit_found(data):
    heard = []
    comparison = compare(["popularity", "item_cf"], task_of(data[0]), k=5, tell=heard.append)
    assert comparison.over_baseline("popularity") is None
    over = comparison.over_baseline("item_cf")
    means = [comparison.measured[name].intervals["ndcg"].mean for name in ("item_cf", "popularity")]
    assert over.mean == pytest.approx(means[0] - means[1])
    assert over.low <= over.mean <= over.high
    assert comparison.measured["item_cf"].found["activity_"] == 0.5
    assert [sentence.split(":")[0] for sentence in heard] == ["popularity", "item_cf"]


def test_without_the_baseline_nothing_is_held_against_it(data):
    comparison = compare(["item_cf"], task_of(data[0]), k=5)
    assert comparison.over_baseline("item_cf") is None


@pytest.mark.parametrize("repeats", [False, True])
def test_a_hybrid_of_one_part_ranks_as_that_part_does(data, repeats):
    task = task_of(data[0], repeats=repeats)
    popularity = Popularity().fit(task.train)
    hybrid = Hybrid({"popularity": popularity}, Blend.default({"popularity": 1.0}))
    assert ranked_lists(hybrid, task, 5)[0].tolist() == ranked_lists(popularity, task, 5)[0].tolist()


def test_the_peak_is_what_the_work_needed_for_a_while():
    def work():
        return float(np.ones(8_000_000).sum())  # 64 MB

    result, peak = memory.with_peak_memory(work)
    assert result == 8_000_000
    assert peak is None or 50 < peak < 120


def test_where_the_system_does_not_tell_the_peak_is_unknown(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "RESET", tmp_path / "no" / "such" / "file")
    assert memory.with_peak_memory(lambda: 7) == (7, None)
    monkeypatch.setattr(memory, "RESET", tmp_path / "reset")
    monkeypatch.setattr(memory, "STATUS", tmp_path / "status")
    (tmp_path / "status").write_text("Name: x\n")
    assert memory.with_peak_memory(lambda: 7) == (7, None)


def test_measuring_needs_neither_plots_nor_training_until_they_are_asked_for():
    code = "import sys, reco_engine.evaluation.__main__; assert not {'matplotlib', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
