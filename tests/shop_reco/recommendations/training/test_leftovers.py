"""Artifacts go when nothing needs them, and stay while a list, a way back or an erasure's receipt does."""

from __future__ import annotations

import datetime as dt
import os

from django.utils import timezone

from reco_engine.ranking import Hybrid
from reco_engine.recommenders.registry import BUILT_IN
from shop_reco.conf import reco_settings
from shop_reco.events.models import Event
from shop_reco.privacy.models import ReceiptUpdate
from shop_reco.privacy.services import erase_shopper
from shop_reco.recommendations.models import ErasedRow, ModelVersion, Slate
from shop_reco.recommendations.services import (
    drop_masks,
    promote_by_staff,
    request_training,
    request_unlearning,
    roll_back,
)
from shop_reco.recommendations.serving import recommend_for
from shop_reco.recommendations.training import prune_versions, run_next, sweep_leftovers, work_off

KINDS = (*BUILT_IN, Hybrid.name)


def folders():
    return {each.name for each in reco_settings().ARTIFACTS_ROOT.iterdir()}


def retrain(kind, times):
    for _ in range(times):
        request_training(kind=kind)
        assert run_next().state == "done"
    return list(ModelVersion.objects.filter(recommender=kind).order_by("pk"))


def test_versions_that_nothing_needs_are_deleted_but_for_two_to_go_back_to(trained):
    versions = retrain("popularity", 4)
    assert prune_versions() == 2
    kept = [each.public_id.hex in folders() for each in versions]
    assert kept == [False, False, True, True, True]
    assert roll_back(kind="popularity") == versions[3]
    assert prune_versions() == 0


def test_a_version_behind_a_list_that_is_kept_stays(trained, person):
    first = ModelVersion.objects.get(recommender="popularity", state="live")
    recommend_for(shopper=person, first=3)
    retrain("popularity", 4)
    prune_versions()
    assert first.public_id.hex in folders()
    Slate.objects.all().delete()
    prune_versions()
    assert first.public_id.hex not in folders()


def test_a_pruned_version_cannot_be_promoted(trained):
    from shop_reco.recommendations.errors import VersionGoneError

    first = retrain("popularity", 4)[0]
    prune_versions()
    try:
        promote_by_staff(version=first, by=None, why="it was better")
    except VersionGoneError:
        return
    raise AssertionError


def test_what_a_death_left_behind_is_swept_and_what_is_young_or_foreign_stays(trained):
    root = reco_settings().ARTIFACTS_ROOT
    old = dt.datetime.now().timestamp() - 3600
    for name in ("0" * 32, f".{'1' * 32}.abc", "notes", "2" * 32):
        (root / name).mkdir()
        if name != "2" * 32:
            os.utime(root / name, (old, old))
    assert sweep_leftovers() == 2
    assert {"notes", "2" * 32} <= folders()
    assert not {"0" * 32, f".{'1' * 32}.abc"} & folders()


def test_after_an_erasure_each_kind_is_fitted_anew_and_the_versions_that_knew_go(trained, person):
    knew = {each.public_id.hex for each in ModelVersion.objects.all()}
    receipt = erase_shopper(shopper=person)
    assert set(receipt.versions) == knew
    assert prune_versions() == 0  # what serves goes on serving until a clean one does
    asked = request_unlearning()
    assert {run.work for run in asked} == {"erasure"}
    work_off()
    assert prune_versions() == len(knew)
    assert not knew & folders()
    update = ReceiptUpdate.objects.get(receipt=receipt)
    assert set(update.gone) == knew
    assert request_unlearning() == []
    assert drop_masks() == 1
    assert not ErasedRow.objects.exists()


def test_whoever_allowed_no_training_is_in_no_version_and_nothing_is_fitted_anew(trained):
    from shop_reco.users.services import ensure_shopper

    erase_shopper(shopper=ensure_shopper(external_id="somebody new"))
    assert request_unlearning() == []


def test_the_fit_after_an_erasure_is_that_of_data_that_never_had_them(shop, person, settings, monkeypatch):
    """Byte for byte, for every kind: the manifests hash every file of a model."""
    small = {"n_hidden": 4, "n_epochs": 1}
    settings.SHOP_RECO = {**settings.SHOP_RECO, "RECOMMENDERS": {"behaviour_mlp": small, "content_mlp": small}}
    for kind in KINDS:
        request_training(kind=kind)
    work_off()
    assert hashes_of_live().keys() == set(KINDS)
    later = shop.now + dt.timedelta(hours=1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    erase_shopper(shopper=person)
    request_unlearning()
    work_off()
    after = hashes_of_live()
    ModelVersion.objects.all().delete()
    ErasedRow.objects.all().delete()
    assert not Event.objects.filter(shopper=person.pk).exists()
    for kind in KINDS:
        request_training(kind=kind)
    work_off()
    assert after == hashes_of_live()


def hashes_of_live():
    return {each.recommender_id: each.manifest_sha256 for each in ModelVersion.objects.filter(state="live")}
