"""What is asked for is never among what may be learnt from."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import Interactions
from reco_engine.data.splits import MOST_EVENTS
from reco_engine.errors import BadInputError
from reco_engine.evaluation import evaluate, task_by_time, task_from_arrays, task_hidden, task_of
from reco_engine.evaluation.protocol import ranked_lists
from reco_engine.evaluation.task import Task
from reco_engine.recommenders import Popularity


def asked(task: Task):
    return {
        user: set(task.item_ids[task.relevant[row].indices].tolist()) for row, user in enumerate(task.user_ids.tolist())
    }


def test_what_comes_after_the_cut_is_asked_for_and_what_comes_before_is_the_history():
    interactions = Interactions.from_arrays(
        ["u", "u", "u", "u", "late"], ["a", "b", "a", "c", "d"], [1, 2, 9, 9, 9], [1.0, 0.5, 1.0, 1.0, 1.0]
    )
    task = task_of(interactions, share=0.5)
    assert task.at == 9
    assert asked(task) == {"u": {"c"}}
    (history,) = task.histories
    assert (history.items, history.timestamps, history.weights) == (["a", "b"], [1, 2], [1.0, 0.5])
    assert asked(task_by_time(interactions, share=0.5, repeats=True)) == {"u": {"a", "c"}}


def test_hidden_pairs_are_hidden_with_all_their_repeats():
    users, items = np.repeat(np.arange(50), 12), np.tile(np.repeat(np.arange(6), 2), 50)
    task = task_hidden(Interactions.from_arrays(users, items), share=0.3)
    assert 0.6 < len(task.train) / 600 < 0.8
    for history, wanted in zip(task.histories, asked(task).values(), strict=True):
        assert wanted
        assert not wanted & set(history.items)
        assert wanted | set(history.items) == set(range(6))
        assert history.timestamps is None


def test_undated_data_cannot_be_split_by_time():
    with pytest.raises(BadInputError, match="timestamps"):
        task_by_time(Interactions.from_arrays([1], [1]))


def test_what_was_taken_before_the_history_begins_is_not_recommended_again():
    size = MOST_EVENTS + 5
    train = Interactions.from_arrays(
        np.repeat([1, 2], [size, size + 2]), np.concatenate([np.arange(size), np.arange(size + 2)]),
        np.concatenate([np.arange(size), np.arange(size + 2)]),
    )  # fmt: skip
    task = task_from_arrays(train, [1], [size])
    (history,) = task.histories
    assert history.items == list(range(5, size))
    lists, _ = ranked_lists(Popularity().fit(train), task, 4)
    assert sorted(task.item_ids[lists[0][:2]].tolist()) == [size, size + 1]
    assert lists[0][2:].tolist() == [-1, -1]


def test_the_shoppers_measured_are_a_seeded_draw():
    train = Interactions.from_arrays(np.arange(50), np.zeros(50, dtype=int))
    task, again = (task_from_arrays(train, np.arange(50), np.ones(50, dtype=int), n_users=7, seed=3) for _ in range(2))
    assert task.user_ids.size == len(task.histories) == task.relevant.shape[0] == 7
    assert task.user_ids.tolist() == again.user_ids.tolist()


def test_items_of_the_catalogue_are_on_offer_and_those_of_the_test_alone_are_not():
    train = Interactions.from_arrays([1, 2], ["a", "b"])
    catalogue = Catalogue.from_columns(["c", "a"], category=[("Tea",), ()])
    task = task_from_arrays(train, [1], ["x"], catalogue=catalogue)
    assert task.item_ids[task.offered].tolist() == ["a", "b", "c"]
    assert task.categories.toarray().tolist() == [[0], [0], [1], [0]]
    assert task.features.getnnz(axis=1).tolist() == [0, 0, 1, 0]
    assert task_from_arrays(train, [1], ["x"]).categories is None


def test_a_model_that_lists_nothing_is_no_measure_of_it():
    class Silent(Popularity):
        def score(self, histories, items=None, at=None):
            return super().score(histories, items, at) * np.nan

    task = task_from_arrays(Interactions.from_arrays([1, 2], [1, 2]), [1], [2], repeats=True)
    with pytest.raises(BadInputError, match="no opinion of any item"):
        evaluate(Silent(), task)
