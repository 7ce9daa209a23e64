"""A few reasons for each item, and the sum kept."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def test_terms_without_evidence_stand_beside_those_of_their_kind_that_have_some():
    one = why(
        Terms("history_item", np.asarray([[1.0]]), "a", np.asarray(["p"])),
        Terms("history_item", np.asarray([[2.0, 3.0]]), "b"),
    )
    assert one.score == 6.0
    assert [(reason.evidence, reason.points) for reason in one.reasons] == [((), 5.0), (("p",), 1.0)]


def test_a_remainder_takes_the_place_of_no_reason():
    one = why(
        Terms("remainder", np.asarray([[50.0]]), "a"),
        Terms("history_item", np.asarray([[1.0, 2.0, 3.0]]), "a", np.asarray(["p", "q", "r"])),
        most=2,
    )
    assert [(reason.evidence, reason.points) for reason in one.reasons] == [(("r",), 3.0), (("q",), 2.0), ((), 51.0)]


def test_equal_terms_are_told_in_the_order_of_their_evidence():
    table = Terms("history_item", np.asarray([[2.0, 5.0, 2.0, 2.0, 2.0]]), "a", np.asarray(list("pqrst")))
    assert [reason.evidence for reason in why(table, most=3).reasons] == [("q",), ("p",), ("r",), ()]


def test_the_shoppers_behind_terms_of_several_parts_are_the_most_that_one_part_counted():
    one = why(
        Terms("similar_shoppers", np.asarray([[1.0]]), "a", shoppers=np.asarray([3])),
        Terms("similar_shoppers", np.asarray([[1.0]]), "b", shoppers=np.asarray([8])),
        Terms("similar_shoppers", np.asarray([[1.0]]), "c"),
    )
    assert one.reasons == (Reason("similar_shoppers", 3.0, (), 8, "a"),)


POINTS = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: 0.0 if abs(value) < 1e-6 else value)
KINDS = ("history_item", "feature", "popular", "similar_shoppers", "repeat", "remainder", "dislike")


@st.composite
def said(draw):
    """Terms of three items, of any kinds, some with evidence that comes again."""
    tables = []
    for _ in range(draw(st.integers(0, 5))):
        n_terms = draw(st.integers(1, 6))
        flat = draw(st.lists(POINTS, min_size=3 * n_terms, max_size=3 * n_terms))
        names = draw(st.none() | st.lists(st.integers(0, 8), min_size=n_terms, max_size=n_terms))
        tables.append(
            Terms(
                draw(st.sampled_from(KINDS)),
                np.reshape(flat, (3, n_terms)),
                draw(st.sampled_from("abc")),
                None if names is None else np.asarray(names),
            )
        )
    return tables


@given(said(), st.integers(0, 8))
def test_however_few_reasons_are_told_their_points_sum_to_that_of_all_terms(tables, most):
    for row, one in enumerate(explained(Said(*tables), History([]), ["x", "y", "z"], most=most)):
        whole = math.fsum(float(value) for term in tables for value in term.points[row])
        size = math.fsum(abs(float(value)) for term in tables for value in term.points[row])
        assert one.score == pytest.approx(whole, rel=1e-6, abs=1e-9 * size)
        assert math.fsum(reason.points for reason in one.reasons) == pytest.approx(one.score, rel=1e-6, abs=1e-12)
        told = [reason for reason in one.reasons if reason.kind != "remainder"]
        assert len(told) <= most
        assert len(one.reasons) - len(told) <= 1
        assert all(reason.points > 0 for reason in told)
        assert [reason.points for reason in told] == sorted((reason.points for reason in told), reverse=True)
        assert len({(reason.kind, reason.evidence) for reason in told}) == len(told)


@given(said(), st.integers(1, 8))
def test_no_reason_that_is_left_out_is_larger_than_one_that_is_told(tables, most):
    for row, one in enumerate(explained(Said(*tables), History([]), ["x", "y", "z"], most=most)):
        points = {}
        for term in tables:
            for column in range(term.points.shape[1]):
                evidence = () if term.evidence is None else (int(term.evidence[column]),)
                key = (term.kind, evidence)
                points[key] = points.get(key, 0.0) + float(term.points[row, column])
        told = {(r.kind, r.evidence) for r in one.reasons if r.kind != "remainder"}
        rest = [value for key, value in points.items() if key not in told and key[0] != "remainder"]
        least = min((points[key] for key in told), default=float("inf") if len(told) == most else 0.0)
        if len(told) < most:
            assert all(value <= 1e-6 for value in rest)
        else:
            assert all(value <= least * (1 + 1e-9) + 1e-6 for value in rest)


def test_what_is_told_does_not_hang_on_the_order_in_which_parts_name_their_evidence():
    rng = np.random.default_rng(3)
    points, evidence = rng.random((1, 6)), np.asarray(list("abcdef"))
    turned = rng.permutation(6)
    other = Terms("history_item", rng.random((1, 3)), "b", np.asarray(["b", "d", "z"]))
    in_order = why(Terms("history_item", points, "a", evidence), other, most=9)
    assert why(Terms("history_item", points[:, turned], "a", evidence[turned]), other, most=9) == in_order
