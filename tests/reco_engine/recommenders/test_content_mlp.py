"""Content MLP: items that nobody took are told by what they are made of."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import sparse

from reco_engine.artifacts import load, save
from reco_engine.data.catalogue import Catalogue
from reco_engine.data.features import feature_matrix
from reco_engine.data.interactions import History, Interactions
from reco_engine.errors import BadInputError
from reco_engine.recommenders import ContentMLP
from reco_engine.recommenders.networks import item_vectors

torch = pytest.importorskip("torch")
TRADES = ("Tea", "Soap", "Lamp", "Rope")


def goods(numbers):
    """Items by number: the tens are the trade; trade 0 sells most."""
    return Catalogue.from_columns(numbers, category=[("Shop", TRADES[n // 10 % 4]) for n in numbers])


@pytest.fixture(scope="module")
def model():
    """Each user keeps to one trade; half of them to tea. The last two items of each trade are never taken."""
    rng = np.random.default_rng(3)
    trades = np.asarray([0, 0, 0, 1, 2, 3])[np.arange(60) % 6]
    users, items = np.repeat(np.arange(60), 6), []
    for trade in trades:
        items += (trade * 10 + rng.permutation(8)[:6]).tolist()
    return ContentMLP(n_epochs=2).fit(Interactions.from_arrays(users, items), goods(list(range(40))), seed=1)


def test_new_items_of_the_shoppers_trade_come_before_those_of_others(model):
    soap, tea, lamp = model.score([History([12, 13])], items=[18, 8, 28])[0]
    assert soap > tea > 0
    assert soap > lamp > 0


def test_an_item_that_nobody_took_is_expected_to_sell_as_its_like_do(model):
    tea, rope = model.priors_[[8, 38]]
    assert tea > rope > 0


def test_an_item_from_after_the_fit_equals_its_twin_that_was_there(model):
    wider = model.with_catalogue(goods([*range(40), 48]))
    assert wider.item_ids.size == 41
    twin, late = wider.score([History([3])], items=[8, 48])[0]
    assert late == twin


def test_items_that_are_known_keep_their_numbers_in_another_catalogue(model):
    wider = model.with_catalogue(goods([3, 8, 12, 48]))
    np.testing.assert_array_equal(wider.vectors_[:3], model.vectors_[[3, 8, 12]])
    np.testing.assert_array_equal(wider.priors_[:3], model.priors_[[3, 8, 12]])
    before, after = (each.score([History([3])], items=[3, 8, 12]) for each in (model, wider))
    np.testing.assert_array_equal(before, after)


def test_a_stored_model_takes_in_new_items_as_well(model, tmp_path):
    save(model, tmp_path / "m")
    stored = load(tmp_path / "m").with_catalogue(goods([3, 48]))
    fresh = model.with_catalogue(goods([3, 48]))
    np.testing.assert_array_equal(stored.score([History([3])]), fresh.score([History([3])]))


def test_the_forward_pass_without_torch_equals_that_of_torch(model):
    names = ("first", "first_bias", "second", "second_bias")
    arrays = {name: getattr(model, f"{name}_") for name in names}
    features, _ = feature_matrix(goods(list(range(40))), model.input_keys_)
    first, first_bias, second, second_bias = (torch.from_numpy(np.asarray(arrays[name])) for name in names)
    inputs = torch.from_numpy(features.toarray().astype(np.float32))
    wanted = torch.nn.functional.softplus(torch.tanh(inputs @ first + first_bias) @ second + second_bias)
    np.testing.assert_allclose(item_vectors(arrays, sparse.csr_matrix(features)), wanted.numpy(), atol=1e-5)


def test_an_item_without_any_feature_is_scored_and_is_not_nan(model):
    bare = model.with_catalogue(Catalogue.from_columns([3, 99]))
    assert np.isfinite(bare.score([History([3, 99])])).all()


def test_progress_is_told_to_the_end_with_the_loss_of_each_epoch():
    told = {}
    shop = Interactions.from_arrays(
        np.repeat(np.arange(20), 4), [(user + k) % 12 for user in range(20) for k in range(4)]
    )
    ContentMLP(n_epochs=3).fit(shop, goods(list(range(12))), progress=lambda done, loss=None: told.update({done: loss}))
    assert list(told) == pytest.approx([1 / 3, 2 / 3, 1])
    assert all(loss > 0 for loss in told.values())


def test_a_catalogue_of_other_items_is_refused():
    with pytest.raises(BadInputError, match="none of the items"):
        ContentMLP().fit(Interactions.from_arrays([1, 2], [500, 501]), goods([0, 1]))


def test_users_of_one_item_each_leave_nothing_to_train_on_and_all_is_scored(model):
    lonely = ContentMLP(n_epochs=1).fit(Interactions.from_arrays([1, 2, 3], [0, 1, 10]), goods(list(range(20))))
    assert np.isfinite(lonely.score([History([1])])).all()


def test_a_catalogue_that_says_nothing_is_refused():
    silent = Catalogue.from_columns([1, 2, 3])
    with pytest.raises(BadInputError, match="text, category, brand"):
        ContentMLP().fit(Interactions.from_arrays([1, 1, 2], [1, 2, 3]), silent)
