"""An auditor that finds nothing in an honest slate, and each kind of lie in a tampered one."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from reco_engine.data.interactions import History
from reco_engine.ranking import recommend
from reco_engine.reasons import audit, explained
from reco_engine.reasons.audit import Finding, FindingKind
from reco_engine.recommenders import BuyAgain
from reco_engine.recommenders.registry import BUILT_IN
from reco_engine.types import Reason, Recommendation
from tests.reco_engine.conftest import AT, HISTORY
from tests.reco_engine.reasons.conftest import Table


@pytest.fixture(scope="module")
def slate(hybrid):
    ranking = hybrid.rank(HISTORY, 6, exclude=HISTORY.items, at=AT)
    return explained(hybrid, HISTORY, ranking.item_ids, at=AT)


@pytest.fixture
def check(hybrid):
    return lambda slate, **options: audit(slate, hybrid, HISTORY, at=AT, **options)


def tampered(each, **changes):
    """A recommendation as a damaged record would hold it: not checked where it is made."""
    forged = object.__new__(Recommendation)
    for name in ("item_id", "score", "reasons"):
        object.__setattr__(forged, name, changes.get(name, getattr(each, name)))
    return forged


def forged_reason(each, place=0, **changes):
    """The same recommendation with one reason changed, and the remainder so that the sum is kept."""
    reasons = list(each.reasons)
    reasons[place] = replace(reasons[place], **changes)
    moved = each.score - sum(reason.points for reason in reasons)
    return tampered(each, reasons=(*reasons, Reason("remainder", moved)))


def kinds(report):
    return set(report.counts)


@pytest.mark.parametrize("kind", BUILT_IN)
def test_what_a_recommender_says_of_its_own_list_is_true(kind, fitted):
    model = fitted(kind)
    (ranking,) = recommend(model, [HISTORY], 8, exclude_seen=kind != "buy_again", at=AT)
    assert ranking.item_ids
    report = audit(
        explained(model, HISTORY, ranking.item_ids, at=AT), model, HISTORY, at=AT, exclude_seen=kind != "buy_again"
    )
    assert report.findings == ()
    assert report.n_items == len(ranking.item_ids)


def test_an_honest_slate_is_clean(slate, check):
    report = check(slate)
    assert report.clean
    assert (report.n_items, report.counts) == (6, {})


def test_a_slate_of_nothing_is_clean(check):
    assert check([]).clean


def test_a_score_that_its_reasons_do_not_reach_is_found(slate, check):
    report = check([tampered(slate[0], score=slate[0].score * (1 + 2e-6)), *slate[1:]])
    assert [finding.kind for finding in report.findings] == ["sum"]
    assert report.findings[0].item_id == slate[0].item_id


def test_another_score_than_the_model_gives_is_found(slate, check):
    raised = tampered(
        slate[0], score=slate[0].score + 0.1, reasons=(*slate[0].reasons, Reason("remainder", 0.1))
    )  # fmt: skip
    assert kinds(check([raised, *slate[1:]])) == {"score"}


def test_points_that_were_shifted_from_one_reason_to_another_are_found(slate, check):
    report = check([forged_reason(slate[0], points=slate[0].reasons[0].points * 1.001), *slate[1:]])
    assert report.counts == {"points": 1}


def test_a_reason_that_the_model_never_gave_is_found(slate, check):
    flattery = Reason("similar_shoppers", 0.0001, (12345,))
    changed = tampered(slate[0], reasons=(*slate[0].reasons, flattery, Reason("remainder", -0.0001)))
    assert check([changed, *slate[1:]]).counts == {"points": 1}


def test_a_purchase_that_was_never_made_is_found(slate, check):
    place = next(i for i, r in enumerate(slate[0].reasons) if r.kind == "history_item")
    other = next(item for item in range(30) if item not in HISTORY.items and item != slate[0].item_id)
    report = check([forged_reason(slate[0], place, evidence=(other,)), *slate[1:]])
    assert kinds(report) == {"evidence", "points"}
    assert repr(other) in next(f.message for f in report.findings if f.kind == "evidence")


def test_evidence_that_is_only_in_another_shoppers_history_is_found(slate, hybrid):
    report = audit(slate, hybrid, History([3]), at=AT)
    assert {"evidence", "score", "points"} <= kinds(report)


def test_an_item_that_is_its_own_evidence_is_found(slate, check):
    own = forged_reason(slate[0], evidence=(slate[0].item_id,))
    assert "own_evidence" in kinds(check([own, *slate[1:]]))


def test_what_is_bought_again_may_be_its_own_evidence(data):
    model = BuyAgain().fit(*data)
    items = recommend(model, [HISTORY], 3, exclude_seen=False, at=AT)[0].item_ids
    page = explained(model, HISTORY, items, at=AT)
    assert all(each.reasons[0].evidence == (each.item_id,) for each in page)
    assert audit(page, model, HISTORY, at=AT, exclude_seen=False).clean


def test_an_item_above_a_better_one_is_found_unless_it_was_placed(slate, check):
    swapped = [slate[1], slate[0], *slate[2:]]
    report = check(swapped)
    assert [(f.kind, f.item_id) for f in report.findings] == [("order", slate[0].item_id)]
    assert check(swapped, placed=[slate[1].item_id]).clean


def test_an_item_that_may_not_be_shown_is_found(slate, check, hybrid):
    first, second = slate[0].item_id, slate[1].item_id
    assert check(slate, exclude=[first]).findings[0].kind == "ineligible"
    report = check(slate, allowed=hybrid.item_ids != second)
    assert [(f.kind, f.item_id) for f in report.findings] == [("ineligible", second)]


def test_an_item_that_was_seen_is_found_where_only_new_ones_are_wanted(hybrid, check):
    page = explained(hybrid, HISTORY, [7], at=AT)
    assert "ineligible" in kinds(check(page))
    assert "ineligible" not in kinds(check(page, exclude_seen=False))


def test_an_item_listed_twice_is_found(slate, check):
    assert check([slate[0], slate[0], *slate[1:]]).counts == {"duplicate": 1}


def test_an_item_of_which_the_model_knows_nothing_is_found(slate, check):
    made_up = Recommendation("no such item", 0.0, ())
    assert check([*slate, made_up]).findings == (
        Finding("unknown", "no such item", "is listed, and the model has no opinion of it"),
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_score_that_is_no_number_is_found(slate, check, value):
    assert "not_finite" in kinds(check([*slate[:-1], tampered(slate[-1], score=value)]))
    broken = tampered(slate[-1], reasons=(Reason("popular", value),))
    assert "not_finite" in kinds(check([*slate[:-1], broken]))


def test_points_that_the_shop_adds_count_in_the_sum_and_not_as_the_models(slate, check):
    last = slate[-1]
    lifted = Recommendation(last.item_id, last.score + 9.0, (*last.reasons, Reason("rule", 9.0)))
    assert check([lifted, *slate[:-1]]).clean
    assert check([Recommendation("new", 10.0, (Reason("pinned", 10.0),)), *slate]).clean


def test_terms_that_cancel_are_compared_relative_to_their_size():
    points = np.zeros((4, 4))
    points[3] = [1.0, -1.0 + 1e-9, 0.0, 0.0]
    model = Table(points)
    history = History([0, 1])
    assert audit(explained(model, history, [3]), model, history).clean


def test_every_kind_of_finding_has_a_lie_above_that_it_caught():
    caught = {
        "sum", "score", "points", "evidence", "own_evidence", "order", "ineligible", "unknown", "duplicate",
        "not_finite",
    }  # fmt: skip
    assert caught == set(get_args(FindingKind))
