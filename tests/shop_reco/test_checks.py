"""Settings that would harm a shop are refused at start."""

from __future__ import annotations

import sys

import pytest
from django.core.management import call_command

from shop_reco.checks import check_settings


def test_the_demo_switcher_is_an_error_where_debug_is_off(settings):
    from django.core.management.base import SystemCheckError

    settings.SHOP_RECO = {**settings.SHOP_RECO, "DEMO_SWITCHER": True}
    with pytest.raises(SystemCheckError, match="shop as anyone"):
        call_command("check")


def test_a_rule_of_cleaning_that_does_not_exist_is_told_with_those_that_do(settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "CLEANING": {"near_duplicate": False, "bots": {"limit": 3}}}
    first, second = check_settings()
    assert (first.id, second.id) == ("shop_reco.E006", "shop_reco.E006")
    assert "near_duplicates" in first.msg
    assert "known ones: limits" in second.msg


def test_rules_of_cleaning_that_exist_are_taken(settings):
    given = {"near_duplicates": {"seconds": 2}, "bots": False, "product_prices": {"missing": "mean"}}
    settings.SHOP_RECO = {**settings.SHOP_RECO, "CLEANING": given}
    assert check_settings() == []


@pytest.mark.parametrize(
    ("name", "value", "module", "extra"),
    [
        ("METRICS_TOKEN", "a token of some length", "prometheus_client", "metrics"),
        ("TENSORBOARD_ROOT", "boards", "tensorboard", "tensorboard"),
    ],
)
def test_what_watches_the_shop_is_refused_where_its_package_is_missing(
    settings, monkeypatch, name, value, module, extra
):
    settings.SHOP_RECO = {**settings.SHOP_RECO, name: value}
    assert check_settings() == []
    monkeypatch.setitem(sys.modules, module, None)
    (error,) = check_settings()
    assert error.id == "shop_reco.E007"
    assert f"[{extra}]" in error.hint


def test_a_token_that_could_be_guessed_is_refused(settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "METRICS_TOKEN": "fifteen letters"}
    (error,) = check_settings()
    assert error.id == "shop_reco.E008"


def test_a_control_group_is_a_share_of_the_shoppers(settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "CONTROL_SHARE": 5}
    assert [each.id for each in check_settings()] == ["shop_reco.E009"]


def test_the_record_of_staff_is_kept_for_a_year_at_least(settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "STAFF_RECORD_DAYS": 365}
    assert check_settings() == []
    settings.SHOP_RECO = {**settings.SHOP_RECO, "STAFF_RECORD_DAYS": 364}
    (error,) = check_settings()
    assert error.id == "shop_reco.E011"
    assert "STAFF_RECORD_DAYS" in error.msg


@pytest.mark.parametrize("given", [{"TRAINING_BACKEND": "spark"}, {"SPARK_ABOVE": 1_000_000}])
def test_where_spark_is_to_train_its_absence_is_told_and_serving_starts_all_the_same(settings, monkeypatch, given):
    settings.SHOP_RECO = {**settings.SHOP_RECO, **given}
    monkeypatch.setattr("shop_reco.checks.lacking", lambda: [])
    assert check_settings() == []
    monkeypatch.setattr("shop_reco.checks.lacking", lambda: ["pyspark", "Java"])
    (warning,) = check_settings()
    assert (warning.id, warning.is_serious()) == ("shop_reco.W001", False)
    assert "no pyspark, no Java" in warning.msg


def test_a_backend_that_does_not_exist_is_told_with_those_that_do(settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "TRAINING_BACKEND": "hadoop"}
    (error,) = check_settings()
    assert error.id == "shop_reco.E012"
    assert "numpy, spark" in error.msg
