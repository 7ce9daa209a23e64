"""Prices fall into bands by whole numbers alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reco_engine.portrait.bands import band_of, middle_of, quantile, start_of


@given(st.integers(2, 10**14))
def test_a_price_lies_within_its_band_and_bands_rise_with_prices(price):
    band = band_of(price)
    assert start_of(band) <= price
    assert price < start_of(band + 1) or start_of(band) == start_of(band + 1)
    assert band_of(price - 1) <= band


def test_bands_are_a_quarter_of_a_doubling_wide():
    assert [band_of(each) for each in (0, 1, 100, 111, 112, 127, 128)] == [0, 0, 26, 26, 27, 27, 28]
    assert (start_of(26), start_of(27), middle_of(26)) == (96, 112, 103)


def test_quantiles_are_read_from_the_histogram():
    cheap, dear = band_of(100), band_of(10_000)
    assert quantile({cheap: 9, dear: 1}, 0.5) == middle_of(cheap)
    assert quantile({cheap: 9, dear: 1}, 0.95) == middle_of(dear)
    assert quantile({}, 0.5) is None
    assert quantile({cheap: -2}, 0.5) is None
