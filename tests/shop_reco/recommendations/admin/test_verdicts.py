"""Why the gate decided as it did is told in the reader's language, from the rule that spoke and its figures."""

from __future__ import annotations

import json
import re

import pytest
from django.utils import timezone, translation

from reco_engine.data.surges import Surge
from reco_engine.evaluation.gate import decide
from shop_reco.recommendations.admin.verdicts import RULES, run_text, verdict_text
from shop_reco.recommendations.models import ModelVersion, Promotion, TrainingRun
from shop_reco.recommendations.services import cancel_run, request_training
from tests.reco_engine.evaluation.test_verdict import comparison, section

PUSHED = Surge("mug", 7.0, 90.0, 3, 0.04, 0.0001, 44.0)
DECIDED = [
    decide(comparison(discovery=section(candidate=0.4, live=0.2)), surges=[PUSHED]),
    decide(comparison(discovery=section(20, candidate=0.0, listed=0.0))),
    decide(comparison(discovery=section(199, candidate=0.4, live=0.2))),
    decide(comparison(discovery=section(candidate=0.1, live=0.2))),
    decide(comparison(discovery=section(candidate=0.2, live=0.2, noise=0.2))),
    decide(comparison(discovery=section(candidate=0.2, live=0.2), new_shoppers=section(candidate=0.1, live=0.2))),
    decide(comparison(discovery=section(candidate=0.0, live=0.0))),
    decide(comparison()),
    decide(comparison("content", discovery=section(candidate=0.05, popularity=0.1))),
    decide(comparison("hybrid", discovery=section(candidate=0.05, popularity=0.1))),
    decide(comparison(discovery=section(candidate=0.01, chance=0.01))),
]


def kept(decision):
    return {"decision": json.loads(json.dumps(decision.to_json()))}


def test_each_rule_of_the_engine_is_worded():
    assert {each.rule for each in DECIDED} == set(RULES)


@pytest.mark.parametrize("decision", DECIDED, ids=lambda each: each.rule)
def test_a_verdict_is_chinese_to_whoever_reads_chinese(decision):
    with translation.override("zh-hans"):
        told = verdict_text(kept(decision))
    assert set(re.findall("[A-Za-z]+", told)) <= {"NDCG", "mug"}
    assert re.search("[\u4e00-\u9fff]", told)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("not_as_good", "New to the shopper, NDCG@20 of 400 shoppers: 0.1000, the live version 0.2000 "
         "(-54.5% to -45.2%). It is worse."),
        ("first", "It is the first version. Only 0 shoppers could be asked, 200 are needed to tell how good it is."),
        ("surge", "Item mug has 4.00% of what was done in the last 7 days, 44 times what its past leads one to expect; "
         "only 3 shoppers are behind it."),
    ],
)  # fmt: skip
def test_the_figures_stand_in_the_words(rule, told):
    assert verdict_text(kept(next(each for each in DECIDED if each.rule == rule))) == told


def test_one_that_was_kept_without_its_figures_is_told_as_the_engine_said_it():
    old = {"decision": {"rule": "as_good", "why": "It sells.", "figures": {"section": "discovery", "n_shoppers": 400}}}
    assert verdict_text(old) == "It sells."
    assert verdict_text({}) == ""


def test_pages_of_versions_runs_and_decisions_tell_a_verdict_in_chinese(trained, staff):
    decision = next(each for each in DECIDED if each.rule == "not_as_good")
    run = TrainingRun.objects.create(recommender_id="item_cf", state="done", why=decision.why)
    version = ModelVersion.objects.create(
        recommender_id="item_cf", run=run, state="rejected", size=1, gate=kept(decision)
    )
    Promotion.objects.create(
        version=version, went_live=False, decided_by="gate", why=decision.why, decided_at=timezone.now()
    )
    for path in ("modelversion/", f"modelversion/{version.pk}/change/", "trainingrun/", "recommender/"):
        page = staff.get(f"/admin/reco_recommendations/{path}", headers={"Accept-Language": "zh-hans"})
        assert "差于线上版本" in page.content.decode(), path
        assert "it is worse" not in page.content.decode(), path


def test_a_run_that_staff_cancelled_says_so_in_chinese(trained):
    cancel_run(run=request_training(kind="content"))
    run = TrainingRun.objects.get(state="cancelled")
    with translation.override("zh-hans"):
        assert run_text(run) == "已由员工取消"
