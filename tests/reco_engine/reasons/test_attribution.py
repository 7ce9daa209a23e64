"""A few reasons for each item, and the sum kept."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.data.interactions import History
from reco_engine.reasons import explained
from reco_engine.types import Reason, Terms


class Said:
    """A recommender of which only the terms are asked."""

    def __init__(self, *terms):
        self.said = list(terms)

    def terms(self, history, items, at=None):
        return self.said


def why(*terms, most=5):
    (one,) = explained(Said(*terms), History([]), ["x"], most=most)
    return one


def test_the_largest_terms_are_told_and_the_rest_is_one_remainder():
    one = why(Terms("history_item", np.asarray([[4.0, 1.0, 3.0, -2.0]]), "a", np.asarray(["p", "q", "r", "s"])), most=2)
    assert one.score == 6.0
    assert one.reasons == (
        Reason("history_item", 4.0, ("p",), source="a"),
        Reason("history_item", 3.0, ("r",), source="a"),
        Reason("remainder", -1.0),
    )


def test_one_evidence_from_two_parts_is_one_reason():
    one = why(
        Terms("history_item", np.asarray([[1.0, 2.0]]), "a", np.asarray(["p", "q"])),
        Terms("history_item", np.asarray([[5.0]]), "b", np.asarray(["p"])),
    )
    assert [(reason.evidence, reason.points) for reason in one.reasons] == [(("p",), 6.0), (("q",), 2.0)]


def test_remainders_of_several_parts_are_one():
    one = why(
        Terms("popular", np.asarray([[1.0]]), "a"),
        Terms("remainder", np.asarray([[0.5]]), "b"),
        Terms("remainder", np.asarray([[0.25]]), "c"),
    )
    assert [(reason.kind, reason.points) for reason in one.reasons] == [("popular", 1.0), ("remainder", 0.75)]


def test_an_item_of_which_nobody_has_an_opinion_has_no_reasons():
    (one,) = explained(Said(), History([]), ["x"])
    assert (one.score, one.reasons) == (pytest.approx(0.0), ())
