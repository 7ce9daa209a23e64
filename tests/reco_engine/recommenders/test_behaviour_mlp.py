"""The behaviour MLP: what it learns, what it keeps quiet about, and that a stopped fit goes on."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.artifacts import load, save
from reco_engine.data.interactions import History, Interactions
from reco_engine.errors import BadInputError
from reco_engine.recommenders import BehaviourMLP
from reco_engine.recommenders.behaviour_mlp import DEFAULT_TEMPERATURE, TEMPERATURES
from tests.reco_engine.conftest import DAY

QUICK = {"n_hidden": 8, "n_epochs": 6, "patience": None, "temperature": 0.1}


class StoppedError(Exception):
    """The power went out."""


def two_tastes(n_users=80, seed=0):
    """Half of the users take of items 0 to 9, half of 10 to 19, six each."""
    rng = np.random.default_rng(seed)
    items = np.concatenate([rng.permutation(10)[:6] + 10 * (user % 2) for user in range(n_users)])
    return Interactions.from_arrays(np.repeat(np.arange(n_users), 6), items)


@pytest.fixture(scope="module")
def tastes():
    return BehaviourMLP(**QUICK).fit(two_tastes())


def test_every_item_of_a_shoppers_own_taste_is_above_every_item_of_the_other(tastes):
    first, second = tastes.score([History([0, 1]), History([10, 11])])
    assert first[:10].min() > first[10:].max()
    assert second[10:].min() > second[:10].max()


def test_the_loss_falls_and_each_epoch_tells_it():
    told: list[tuple[float, float]] = []

    def listen(done: float, loss: float | None = None) -> None:
        if loss is not None:
            told.append((done, loss))

    model = BehaviourMLP(**QUICK).fit(two_tastes(), progress=listen)
    assert [done for done, _ in told] == pytest.approx([(epoch + 1) / 6 for epoch in range(6)])
    assert [loss for _, loss in told] == model.losses_.tolist()
    assert model.losses_[-1] < model.losses_[0]


def test_many_shoppers_at_once_are_scored_as_each_alone(tastes):
    histories = [History([0, 3]), History([]), History([12], weights=[2.0]), History(["unknown"])]
    together = tastes.score(histories)
    for row, history in enumerate(histories):
        np.testing.assert_allclose(together[row], tastes.score([history])[0], rtol=1e-5, atol=1e-5)
    assert np.isnan(together[[1, 3]]).all()
    assert np.isfinite(together[[0, 2]]).all()


def test_an_item_that_too_few_users_took_gets_no_opinion():
    users = [*range(30), *range(30), 0, 1]
    items = ["bread"] * 30 + ["butter"] * 30 + ["truffle"] * 2
    model = BehaviourMLP(min_users=3, **QUICK).fit(Interactions.from_arrays(users, items))
    (score,) = model.score([History(["bread"])], items=["butter", "truffle"])
    assert np.isfinite(score[0])
    assert np.isnan(score[1])


def test_only_the_most_taken_items_are_scored_where_there_are_too_many():
    users, items = [0, 1, 2, 0, 1, 0, 1], ["a", "a", "a", "b", "b", "c", "c"]
    model = BehaviourMLP(n_items=2, min_users=1, **QUICK).fit(Interactions.from_arrays(users, items))
    assert model.item_ids.tolist() == ["a", "b"]


def test_what_a_shopper_took_lately_counts_more_than_what_they_took_long_ago(tastes):
    now = 1000 * DAY
    history = History([0, 10], [now - 600 * DAY, now])
    (score,) = tastes.score([history], at=now)
    assert score[10:].mean() > score[:10].mean()


def test_interactions_that_weigh_nothing_teach_nothing():
    data = two_tastes()
    users, items = data.user_ids[data.users], data.item_ids[data.items]
    padded = Interactions.from_arrays([*users, 0, 1], [*items, 15, 5], weights=[*np.ones(len(data)), 0.0, 0.0])
    plain, other = (BehaviourMLP(**QUICK).fit(each).score([History([0])]) for each in (data, padded))
    np.testing.assert_array_equal(plain, other)


def test_ages_so_great_that_every_weight_is_nearly_zero_change_nothing():
    near, far = (BehaviourMLP(**QUICK).fit(two_tastes(), at=at).score([History([0])]) for at in (0.0, 60_000 * DAY))
    np.testing.assert_allclose(near, far, rtol=1e-5, atol=1e-5)


def test_a_fade_so_quick_that_old_weights_vanish_still_trains():
    users, items = [0, 0, 0, 1, 1, 1], [0, 1, 2, 0, 1, 2]
    data = Interactions.from_arrays(users, items, [0, 0, 9000 * DAY, 0, 0, 0])
    model = BehaviourMLP(half_life=1.0, **QUICK).fit(data, at=20_000 * DAY)
    assert np.isfinite(model.losses_).all()
    assert np.isfinite(model.score([History([0])])).all()


def test_without_a_user_of_two_items_the_start_is_served():
    model = BehaviourMLP(**QUICK).fit(Interactions.from_arrays([1, 2, 3, 4], ["a", "a", "b", "b"]))
    assert model.losses_.size == 0
    assert np.isfinite(model.score([History(["a"])])).all()


def test_training_ends_when_the_validation_slice_no_longer_gains_and_the_best_epoch_is_kept():
    rng = np.random.default_rng(1)  # nothing to learn: any gain is luck
    data = Interactions.from_arrays(np.repeat(np.arange(60), 8), rng.integers(0, 40, 480))
    model = BehaviourMLP(n_hidden=8, n_epochs=20, patience=3, temperature=0.1).fit(data)
    best = int(np.argmax(model.figures_))
    assert model.figures_.size == best + 1 + 3 < 20
    again = BehaviourMLP(n_hidden=8, n_epochs=20, patience=None, temperature=0.1).fit(data)
    np.testing.assert_array_equal(again.figures_[: best + 4], model.figures_)


def test_the_settings_given_are_used():
    model = BehaviourMLP(n_factors=3, batch=5, n_validation_users=0, **QUICK).fit(two_tastes())
    assert model.encoder_.shape == (20, 3)
    assert model.figures_.size == 0


def test_the_temperature_left_open_is_the_one_whose_trial_is_best():
    data = two_tastes()
    open_ = {**QUICK, "temperature": None}
    told: list[float] = []
    model = BehaviourMLP(**open_).fit(data, progress=lambda done, loss=None: told.append(done))
    assert told == sorted(told)
    trials = {
        each: BehaviourMLP(n_hidden=8, n_epochs=2, patience=None, temperature=each).fit(data).figures_.max()
        for each in TEMPERATURES
    }
    assert trials[model.temperature_] == max(trials.values())
    assert BehaviourMLP(n_validation_users=0, **open_).fit(data).temperature_ == DEFAULT_TEMPERATURE


def test_points_of_a_linear_network_are_shares_of_the_cosine_by_hand():
    model = BehaviourMLP(temperature=1.0, min_users=1)
    model.item_ids_ = np.asarray(["a", "b"])
    model.encoder_ = np.asarray([[3.0, 0.0], [0.0, 4.0]], np.float32)
    model.first_, model.first_bias_ = np.zeros((2, 1), np.float32), np.zeros(1, np.float32)
    model.second_ = np.zeros((1, 2), np.float32)
    model.decoder_ = np.asarray([[1.0, 0.0], [0.0, 1.0]], np.float32)
    model.bias_ = np.asarray([0.0, 0.5], np.float32)
    # a and b together point at (3, 4) / 5: b's cosine is 0.8, all of it from b itself, and its bias 0.5
    reasons = model.explain(History(["a", "b"]), "b")
    assert [(r.kind, r.evidence) for r in reasons] == [("history_item", ("b",)), ("remainder", ())]
    assert [r.points for r in reasons] == pytest.approx([0.8, 0.5])
    assert model.score([History(["a", "b"])])[0].tolist() == pytest.approx([0.6, 1.3])


def test_the_history_explains_nearly_all_that_the_hidden_layer_adds(tastes):
    history = History([0, 1, 2])
    items = tastes.item_ids.tolist()
    mine, rest = tastes.terms(history, items)
    network = tastes._network
    nothing = np.tanh(network.first_bias) @ network.second
    bags = tastes.score([history])[0]
    np.testing.assert_allclose(mine.points.sum(axis=1) + rest.points[:, 0], bags, rtol=1e-6, atol=1e-6)
    own = np.abs(rest.points[:, 0] - network.bias)
    assert own.max() < 0.02 * np.abs(bags).max() + 2 * np.abs(network.decoder @ nothing).max()


@pytest.mark.parametrize("stop_after", [1, 4])
def test_a_fit_that_was_stopped_goes_on_and_ends_with_the_same_bytes(tmp_path, stop_after):
    data, checkpoint = two_tastes(), tmp_path / "fit.npz"
    heard: list[float] = []

    def fail(done: float, loss: float | None = None) -> None:
        if loss is not None:
            heard.append(loss)
            if len(heard) == stop_after:
                raise StoppedError

    with pytest.raises(StoppedError):
        BehaviourMLP(**QUICK).fit(data, seed=3, progress=fail, checkpoint=checkpoint)
    later: list[float] = []

    def count(done: float, loss: float | None = None) -> None:
        if loss is not None:
            later.append(loss)

    resumed = BehaviourMLP(**QUICK).fit(data, seed=3, progress=count, checkpoint=checkpoint)
    whole = BehaviourMLP(**QUICK).fit(data, seed=3)
    assert len(later) == QUICK["n_epochs"] - stop_after
    assert save(resumed, tmp_path / "a").sha256 == save(whole, tmp_path / "b").sha256
    again = BehaviourMLP(**QUICK).fit(data, seed=3, checkpoint=checkpoint)
    assert save(again, tmp_path / "c").sha256 == save(whole, tmp_path / "d").sha256


def test_a_checkpoint_of_another_fit_is_refused_and_left_alone(tmp_path):
    checkpoint = tmp_path / "fit.npz"
    BehaviourMLP(**QUICK).fit(two_tastes(), checkpoint=checkpoint)
    before = checkpoint.read_bytes()
    for settings, seed, data in (({"dropout": 0.5}, 0, 0), ({}, 1, 0), ({}, 0, 1)):
        with pytest.raises(BadInputError, match="other data, settings or seed"):
            BehaviourMLP(**{**QUICK, **settings}).fit(two_tastes(seed=data), seed=seed, checkpoint=checkpoint)
    assert checkpoint.read_bytes() == before


def test_scores_are_the_same_after_saving_and_mapping_back(tastes, tmp_path):
    save(tastes, tmp_path / "model")
    history = History([4, 5])
    np.testing.assert_array_equal(load(tmp_path / "model").score([history]), tastes.score([history]))
