"""The rule that reads a comparison: figures made up by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from reco_engine.data.surges import Surge
from reco_engine.evaluation.comparing import Comparison, Section
from reco_engine.evaluation.gate import decide


def section(n=400, *, listed=1.0, noise=0.0, **means):
    """Shoppers of whom every other one has twice a contestant's mean and the others nothing.

    The candidate's figures wander about that by ``noise``, and keep their mean.
    """
    waves = 2.0 * (np.arange(n) % 2)
    figures = {who: {"ndcg": mean * waves} for who, mean in {"popularity": 0.1, "chance": 0.01, **means}.items()}
    wander = np.random.default_rng(0).normal(size=n)
    figures["candidate"] = {"ndcg": figures["candidate"]["ndcg"] + noise * (wander - wander.mean())}
    return Section.of(figures, {"candidate": {"listed": listed}})


def comparison(kind="item_cf", **sections):
    has_live = any("live" in each.figures for each in sections.values())
    return Comparison(kind, 0.0, 1.0, 20, 0, has_live, sections, None)


@pytest.mark.parametrize(
    ("candidate", "verdict"), [(0.2, "promote"), (0.3, "promote"), (0.192, "promote"), (0.188, "reject")]
)
def test_up_to_five_per_cent_less_than_the_live_one_passes(candidate, verdict):
    decision = decide(comparison(discovery=section(candidate=candidate, live=0.2)))
    assert decision.verdict == verdict
    assert f"{candidate:.4f}, the live version 0.2000" in decision.why


def test_a_loss_that_cannot_be_ruled_out_is_refused_and_more_shoppers_rule_it_out():
    unsure = decide(comparison(discovery=section(400, candidate=0.2, live=0.2, noise=0.2)))
    assert (unsure.verdict, unsure.rule) == ("reject", "not_as_good")
    assert "cannot be ruled out" in unsure.why
    assert decide(comparison(discovery=section(4000, candidate=0.2, live=0.2, noise=0.2))).verdict == "promote"


def test_with_under_two_hundred_shoppers_the_live_one_stays_and_a_first_one_goes_live():
    better = {"candidate": 0.4, "live": 0.2}
    assert decide(comparison(discovery=section(199, **better))).verdict == "keep"
    assert decide(comparison(discovery=section(200, **better))).verdict == "promote"
    assert decide(comparison(discovery=section(199, candidate=0.0))).verdict == "promote"
    assert decide(comparison()).verdict == "promote"


def test_what_repeats_is_judged_by_the_next_basket():
    sections = {"discovery": section(candidate=0.0, live=0.2), "next_basket": section(candidate=0.2, live=0.2)}
    assert decide(comparison("buy_again", **sections)).verdict == "promote"
    assert decide(comparison("item_cf", **sections)).verdict == "reject"


def test_worse_in_another_section_is_told_and_no_reason_to_refuse():
    decision = decide(
        comparison(discovery=section(candidate=0.2, live=0.2), new_shoppers=section(candidate=0.1, live=0.2))
    )
    assert decision.verdict == "promote"
    assert "worse in new shoppers" in decision.why
    assert decision.figures["worse_in"] == ["new_shoppers"]


def test_a_first_part_may_be_worse_than_popularity_and_a_first_hybrid_may_not():
    sections = {"discovery": section(candidate=0.05, popularity=0.1)}
    assert decide(comparison("content", **sections)).verdict == "promote"
    assert decide(comparison("hybrid", **sections)).rule == "below_popularity"
    assert decide(comparison("hybrid", discovery=section(candidate=0.1))).verdict == "promote"


def test_a_first_version_must_find_more_than_chance():
    decision = decide(comparison(discovery=section(candidate=0.01, chance=0.01)))
    assert (decision.verdict, decision.rule) == ("reject", "no_better_than_chance")


def test_a_candidate_that_lists_nothing_is_refused():
    assert decide(comparison(discovery=section(20, candidate=0.0, listed=0.0))).rule == "no_lists"


def test_beside_a_live_one_that_found_nothing_no_loss_is_possible():
    assert decide(comparison(discovery=section(candidate=0.0, live=0.0))).verdict == "promote"
    assert decide(comparison(discovery=section(candidate=0.1, live=0.0))).verdict == "promote"


def test_a_surge_is_refused_by_name_however_good_the_figures():
    surge = Surge("mug", 7.0, 90.0, 3, 0.04, 0.0001, 44.0)
    decision = decide(comparison(discovery=section(candidate=0.4, live=0.2)), surges=[surge])
    assert (decision.verdict, decision.rule) == ("reject", "surge")
    assert "Item mug has 4.00%" in decision.why
    assert [(each["item"], each["buyers"]) for each in decision.figures["surges"]] == [("mug", 3)]


def test_what_is_kept_is_plain():
    decision = decide(comparison(discovery=section(candidate=0.0, live=0.0)))
    told = json.loads(json.dumps(decision.to_json(), allow_nan=False))
    assert told["figures"]["n_shoppers"] == 400
    assert told["figures"]["relative"]["live"] == {"mean": None, "low": None, "high": None}
