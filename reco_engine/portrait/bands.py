"""Price bands as integers: the same price is in the same band on every machine."""

from __future__ import annotations

from collections.abc import Mapping

PARTS = 4
"""Bands to each doubling of the price; a band is at most a quarter wider than where it begins."""


def band_of(price: int) -> int:
    """The band of a price in hundredths; 0 for a price of 0 or 1, rising with the price."""
    if price <= 1:
        return 0
    doublings = price.bit_length() - 1
    return PARTS * doublings + (price * PARTS >> doublings) - PARTS


def start_of(band: int) -> int:
    """The lowest price, in hundredths, that lies in ``band``, or in the next one that holds any."""
    doublings, part = divmod(band, PARTS)
    return -(-((PARTS + part) << doublings) // PARTS)


def middle_of(band: int) -> int:
    """A price in hundredths in the middle of ``band``."""
    return (start_of(band) + max(start_of(band + 1) - 1, start_of(band))) // 2


def quantile(bands: Mapping[int, int], share: float) -> int | None:
    """The price in hundredths below which ``share`` (0 to 1) of what the histogram counts lies, to its band.

    None where nothing is counted; what was counted below zero times counts as nothing.
    """
    total = sum(n for n in bands.values() if n > 0)
    reached = 0
    for band in sorted(bands):
        reached += max(bands[band], 0)
        if total and reached >= share * total and reached > 0:
            return middle_of(band)
    return None
