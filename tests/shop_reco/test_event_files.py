"""TensorBoard can read what a training told; a training never fails for it."""

from __future__ import annotations

import sys

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from shop_reco.event_files import event_files
from shop_reco.recommendations.services import request_training
from shop_reco.recommendations.training import run_next

pytestmark = pytest.mark.any_database


@pytest.fixture
def root(settings, tmp_path):
    folder = tmp_path / "boards"
    settings.SHOP_RECO = {**settings.SHOP_RECO, "TENSORBOARD_ROOT": folder}
    return folder


def told(folder):
    read = EventAccumulator(str(folder))
    read.Reload()
    return {tag: [(each.step, round(each.value, 6)) for each in read.Scalars(tag)] for tag in read.Tags()["scalars"]}


def test_each_epoch_is_a_step_with_its_loss(root):
    with event_files(kind="behaviour_mlp", run="abc") as listener:
        for word in [(0.0, None), (0.25, None), (0.5, 2.5), (1.0, 1.25)]:
            listener(*word)
    scalars = told(root / "behaviour_mlp-abc")
    assert scalars["loss"] == [(1, 2.5), (2, 1.25)]
    assert scalars["done"] == [(1, 0.5), (2, 1.0)]
    assert len(scalars["epoch_seconds"]) == 2


@pytest.mark.parametrize("kind", ["behaviour_mlp", "content_mlp"])
def test_a_training_of_a_network_leaves_the_losses_of_its_epochs(shop, settings, root, kind):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "RECOMMENDERS": {kind: {"n_epochs": 3}}}
    run = request_training(kind=kind)
    assert run_next().state == "done"
    assert [step for step, _loss in told(root / f"{kind}-{run.public_id.hex[:8]}")["loss"]] == [1, 2, 3]


def test_without_the_setting_or_without_epochs_nothing_is_written(shop, root, settings):
    request_training(kind="popularity")
    assert run_next().state == "done"
    assert not root.exists()
    settings.SHOP_RECO = {**settings.SHOP_RECO, "TENSORBOARD_ROOT": None}
    with event_files(kind="behaviour_mlp", run="abc") as listener:
        listener(1.0, 2.0)
    assert not root.exists()


def test_a_folder_that_cannot_be_written_ends_the_writing_alone(root):
    root.write_text("a file is in the way")
    with event_files(kind="behaviour_mlp", run="abc") as listener:
        listener(0.5, 2.0)
        listener(1.0, 1.0)
    assert root.read_text() == "a file is in the way"


def test_a_worker_without_the_package_trains_without_it(root, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "tensorboard"]:
        monkeypatch.setitem(sys.modules, name, None)
    with event_files(kind="behaviour_mlp", run="abc") as listener:
        listener(0.5, 2.0)
    assert not root.exists()
