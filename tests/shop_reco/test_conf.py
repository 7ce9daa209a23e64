"""What the host gives counts at once, however it is given; what has no meaning is refused."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from shop_reco.conf import RecoSettings, reco_settings


def test_what_the_host_gives_goes_over_the_defaults(settings):
    settings.SHOP_RECO = {"CURRENCY": "CNY"}
    assert reco_settings() == RecoSettings(CURRENCY="CNY")
    del settings.SHOP_RECO
    assert reco_settings() == RecoSettings()


def test_a_change_in_place_counts_as_well(settings):
    settings.SHOP_RECO = {"CURRENCY": "CNY"}
    assert reco_settings().CURRENCY == "CNY"
    settings.SHOP_RECO["CURRENCY"] = "EUR"
    assert reco_settings().CURRENCY == "EUR"


def test_an_unknown_key_is_refused_each_time_until_it_is_gone(settings):
    settings.SHOP_RECO = {"CURRENCY": "CNY", "CURENCY": "EUR"}
    for _ in range(2):
        with pytest.raises(ImproperlyConfigured, match="CURENCY"):
            reco_settings()
    del settings.SHOP_RECO["CURENCY"]
    assert reco_settings().CURRENCY == "CNY"
