"""Forty users and thirty items, dated over ninety days, and one live history."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions

DAY = 86_400
AT = 90.0 * DAY
HISTORY = History([3, 7, 11, 99_999], [80 * DAY, 85 * DAY, 89 * DAY, 89 * DAY], [1.0, 0.5, 1.0, 1.0])


@pytest.fixture(scope="session")
def data():
    rng = np.random.default_rng(5)
    users, items = rng.integers(0, 40, 600), rng.integers(0, 30, 600)
    catalogue = Catalogue.from_columns(
        list(range(30)),
        text=[f"thing {n}" for n in range(30)],
        category=[("All", f"Shelf {n % 4}") for n in range(30)],
        brand=[f"Brand {n % 3}" for n in range(30)],
        price=[1.0 + n for n in range(30)],
    )
    return Interactions.from_arrays(users, items, rng.integers(0, 90, 600) * DAY), catalogue
