"""A split made elsewhere, small enough to measure by hand."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import Interactions

SPLIT = {
    "train_users": [1, 1, 2, 3, 3],
    "train_items": [10, 20, 10, 10, 30],
    "test_users": [1, 2, 2, 3, 9],
    "test_items": [30, 20, 40, 10, 10],
}


@pytest.fixture
def npz(tmp_path):
    """Writes arrays to a file and returns its path."""

    def write(**arrays):
        path = tmp_path / "shop.npz"
        np.savez(path, **{name: np.asarray(values) for name, values in arrays.items()})
        return str(path)

    return write


@pytest.fixture
def parquet(tmp_path):
    """Writes columns to a file and returns its path."""

    def write(name="shop.parquet", **columns):
        from pyarrow import parquet, table

        parquet.write_table(table(columns), tmp_path / name)
        return str(tmp_path / name)

    return write


DAY = 86_400.0


@pytest.fixture(scope="session")
def tastes():
    """Three hundred shoppers over sixty days, each of one of four shelves of twenty items; and the catalogue."""
    rng = np.random.default_rng(11)
    users = np.repeat(np.arange(300), 16)
    favourites = 20 * (users % 4) + np.minimum(rng.geometric(0.12, users.size) - 1, 19)
    items = np.where(rng.random(users.size) < 0.9, favourites, rng.integers(0, 80, users.size))
    interactions = Interactions.from_arrays(users, items, rng.uniform(0, 60, users.size) * DAY)
    catalogue = Catalogue.from_columns(
        np.arange(80), text=[f"thing {n}" for n in range(80)], category=[(f"Shelf {n // 20}",) for n in range(80)]
    )
    return interactions, catalogue
