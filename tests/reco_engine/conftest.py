"""Forty users and thirty items, dated over ninety days, and one live history."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest

from reco_engine.artifacts import save
from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions
from reco_engine.recommenders.registry import create

DAY = 86_400
AT = 90.0 * DAY
HISTORY = History([3, 7, 11, 99_999], [80 * DAY, 85 * DAY, 89 * DAY, 89 * DAY], [1.0, 0.5, 1.0, 1.0])


def hash_of(model):
    """Of all bytes of the artifact: the manifest names each file's hash."""
    with tempfile.TemporaryDirectory() as folder:
        return save(model, Path(folder) / "artifact").sha256


@pytest.fixture(scope="session", autouse=True)
def one_training_thread():
    """Networks as small as these train forty times as fast on one thread as on two that wait for each other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reco_engine.recommenders.networks.THREADS", 1, raising=False)
        yield


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


@pytest.fixture(scope="session")
def fitted(data):
    """Each recommender of the shelf, fitted once to that shop; a test that changes one makes its own."""
    known = {}

    def of(kind):
        if kind not in known:
            known[kind] = create(kind).fit(*data, seed=7, at=AT)
        return known[kind]

    return of
