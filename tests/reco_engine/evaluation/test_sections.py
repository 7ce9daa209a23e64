"""One cut in time, and who is asked what after it: worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.data.interactions import Interactions
from reco_engine.errors import BadInputError, NobodyToMeasureError
from reco_engine.evaluation.sections import DISCOVERY, NEW_PRODUCTS, NEW_SHOPPERS, NEXT_BASKET, Exam

DAY = 86_400.0
EVENTS = [
    ("ann", "tea", 0), ("ann", "jam", 1), ("ann", "tea", 11), ("ann", "cocoa", 12), ("ann", "rice", 21),
    ("bob", "tea", 0), ("bob", "tea", 12),
    ("new", "jam", 11), ("new", "oil", 11.5), ("new", "jam", 13), ("new", "tea", 13),
]  # fmt: skip


def exam(events=EVENTS, *, t1=10, t2=20, n_users=100, catalogue=None):
    users, items, days = zip(*events, strict=True)
    interactions = Interactions.from_arrays(users, items, np.asarray(days) * DAY)
    return Exam.of(interactions, catalogue, t1=t1 * DAY, t2=t2 * DAY, n_users=n_users, seed=0)


def asked(question):
    """By shopper, the items that they are asked for."""
    users = question.task.user_ids[question.rows].tolist()
    rows = [question.task.item_ids[row.indices].tolist() for row in question.relevant]
    return dict(zip(users, rows, strict=True))


def test_the_next_basket_is_all_that_was_taken_and_discovery_what_was_new():
    questions = exam().questions
    assert asked(questions[NEXT_BASKET]) == {"ann": ["cocoa", "tea"], "bob": ["tea"]}
    assert asked(questions[DISCOVERY]) == {"ann": ["cocoa"]}
    assert [questions[name].task.repeats for name in (NEXT_BASKET, DISCOVERY)] == [True, False]


def test_what_lies_past_the_end_is_neither_learnt_nor_asked():
    assert exam().before.newest == 1 * DAY
    assert "rice" not in exam().returning.item_ids


def test_a_new_product_is_one_that_nobody_had_taken_before():
    assert asked(exam().questions[NEW_PRODUCTS]) == {"ann": ["cocoa"]}
    assert NEW_PRODUCTS not in exam([event for event in EVENTS if event[1] != "cocoa"]).questions


def test_a_stranger_is_asked_after_the_first_day_for_what_was_new_later():
    newcomers = exam().questions[NEW_SHOPPERS]
    assert asked(newcomers) == {"ann": ["cocoa"], "new": ["tea"]}
    histories = dict(zip(newcomers.task.user_ids.tolist(), newcomers.task.histories, strict=True))
    assert histories["new"].items == ["jam", "oil"]
    assert histories["ann"].items == ["tea", "jam"]


def test_the_rest_of_a_strangers_basket_is_not_what_came_later():
    basket = [("new", f"line {n:02}", 11) for n in range(12)]
    newcomers = exam([*EVENTS[:2], *basket, ("ann", "oil", 12), ("new", "oil", 15)]).questions[NEW_SHOPPERS]
    assert asked(newcomers)["new"] == ["oil"]
    assert max(len(history) for history in newcomers.task.histories) == 9


def test_whoever_had_ten_events_is_no_newcomer():
    many = [("ann", f"more {n}", 2) for n in range(8)]
    assert "ann" not in asked(exam(EVENTS + many).questions[NEW_SHOPPERS])
    assert "ann" in asked(exam(EVENTS + many[:7]).questions[NEW_SHOPPERS])


def test_a_section_asks_no_more_than_so_many():
    crowd = [(f"u{n}", item, day) for n in range(30) for item, day in (("tea", 0), ("jam", 12))]
    questions = exam(crowd, n_users=7).questions
    assert {name: question.rows.size for name, question in questions.items()} == {
        NEXT_BASKET: 7, DISCOVERY: 7, NEW_SHOPPERS: 7, NEW_PRODUCTS: 7
    }  # fmt: skip


def test_chance_keeps_the_luck_of_lists_that_show_one_item_to_all():
    crowd = [(f"u{n}", item, day) for n in range(50) for item, day in ((f"own {n % 10}", 0), ("hit", 12))]
    question = exam([*crowd, ("ann", "hit", 0)]).questions[DISCOVERY]
    same = np.full((50, 1), np.searchsorted(question.task.item_ids, "own 3"))
    assert set(question.luckiest(same, 1, seed=0)) == {1.0}  # one of eleven items: some draw finds it
    each = np.asarray([[history_item] for history_item in np.arange(50) % 10])
    assert 0 < np.mean(question.luckiest(each, 1, seed=0)) <= 0.2


def test_without_anybody_on_both_sides_there_is_nothing_to_ask():
    with pytest.raises(NobodyToMeasureError):
        exam([("ann", "tea", 0), ("bob", "tea", 12)])


def test_a_holdout_that_leaves_nothing_to_learn_from_is_refused():
    with pytest.raises(BadInputError, match="nothing to learn from before the holdout"):
        exam(t1=-1)


def test_undated_interactions_are_refused():
    with pytest.raises(BadInputError, match="timestamps are missing"):
        Exam.of(Interactions.from_arrays([1], [1]), None, t1=0.0, t2=1.0, n_users=1, seed=0)
