"""A split made elsewhere, small enough to measure by hand."""

from __future__ import annotations

import numpy as np
import pytest

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
