"""What a run learns from, and whether Spark fits it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.utils import timezone

from reco_engine.artifacts import Manifest
from reco_engine.errors import MissingDependencyError
from shop_reco.conf import reco_settings
from shop_reco.recommendations.models import ModelVersion
from shop_reco.recommendations.services import request_training
from shop_reco.recommendations.serving import recommend_for
from shop_reco.recommendations.training import fitting, material, run_next
from shop_reco.recommendations.training.exports import spark_root
from shop_reco.recommendations.training.material import fits_with_spark
from tests.shop_reco.conftest import skus


@pytest.fixture
def with_spark(settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "TRAINING_BACKEND": "spark"}


@pytest.fixture
def without_java(monkeypatch):
    monkeypatch.setattr(material, "lacking", lambda: ["Java"])


def train(kind, **asked):
    request_training(kind=kind, **asked)
    run = run_next()
    assert run.state == "done", run.why
    return run


def learnt(version):
    """The size and hash of each array; settings that a comparison has found are given ones in the manifest."""
    return Manifest.read(reco_settings().ARTIFACTS_ROOT / version.public_id.hex).files


def test_numpy_fits_unless_the_shop_says_otherwise(shop):
    assert not fits_with_spark("item_cf")


@pytest.mark.parametrize(("kind", "by_spark"), [("item_cf", True), ("popularity", True), ("content", True),
                                                ("user_cf", False), ("hybrid", False)])  # fmt: skip
def test_spark_fits_the_kinds_that_it_can(with_spark, monkeypatch, kind, by_spark):
    monkeypatch.setattr(material, "lacking", lambda: [])
    assert fits_with_spark(kind) is by_spark


@pytest.mark.parametrize(("above", "by_spark"), [(239, True), (240, False), (None, False)])
def test_from_some_size_on_spark_is_chosen_by_itself(shop, settings, monkeypatch, above, by_spark):
    monkeypatch.setattr(material, "lacking", lambda: [])
    settings.SHOP_RECO = {**settings.SHOP_RECO, "SPARK_ABOVE": above}
    assert fits_with_spark("item_cf") is by_spark


def test_without_java_a_training_fails_and_says_what_to_do(shop, with_spark, without_java):
    with pytest.raises(MissingDependencyError, match="no Java"):
        fits_with_spark("item_cf")
    request_training(kind="item_cf")
    run = run_next()
    assert run.state == "failed"
    assert "here is no Java" in run.why
    assert 'SHOP_RECO["TRAINING_BACKEND"] = "numpy"' in run.why
    assert not ModelVersion.objects.exists()


def test_what_spark_does_not_fit_is_trained_without_it(shop, with_spark, without_java):
    assert "backend" not in train("user_cf").version.figures


def test_a_run_of_sparks_makes_the_version_that_one_in_memory_makes(spark, shop, settings, person, monkeypatch):
    now = timezone.now()
    monkeypatch.setattr(fitting, "timezone", SimpleNamespace(now=lambda: now))
    kinds = ("popularity", "item_cf", "content")
    usual = {kind: train(kind).version for kind in kinds}
    before = recommend_for(shopper=person, first=10)
    settings.SHOP_RECO = {**settings.SHOP_RECO, "TRAINING_BACKEND": "spark"}
    for kind in kinds:
        run = train(kind)
        assert run.version.state == "live"
        assert run.version.figures["backend"] == "spark"
        assert "Spark trains this." in run.log
        assert run.version.recipe == usual[kind].recipe
        assert learnt(run.version) == learnt(usual[kind])
    after = recommend_for(shopper=person, first=10)
    assert len(skus(after)) == 10
    assert skus(after) == skus(before)
    assert list(spark_root().iterdir()) == []


def test_new_events_are_learnt_by_spark_under_the_live_recipe(spark, shop, with_spark):
    first = train("item_cf")
    again = train("item_cf", work="update")
    assert again.version.manifest_sha256 == first.version.manifest_sha256


def test_a_fit_that_fails_leaves_nobodys_data_behind(spark, shop, with_spark, monkeypatch):
    def broken(*args, **given):
        raise MemoryError

    monkeypatch.setattr(fitting.Plan, "fit_table", broken)
    request_training(kind="popularity")
    assert run_next().state == "failed"
    assert list(spark_root().iterdir()) == []
