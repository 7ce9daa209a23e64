"""Whatever is put on the shelf comes under these promises."""

from __future__ import annotations

import pytest

from reco_engine.recommenders.registry import BUILT_IN, create
from tests.reco_engine.conftest import AT


@pytest.fixture(params=BUILT_IN)
def kind(request):
    return request.param


@pytest.fixture
def model(kind, fitted):
    """Fitted to forty users and thirty items; do not change it."""
    return fitted(kind)


@pytest.fixture
def fit(kind, data):
    """A new one, fitted to other interactions or another catalogue."""

    def new(interactions=None, catalogue=None, *, seed=7, at=AT, **settings):
        return create(kind, **settings).fit(interactions or data[0], catalogue or data[1], seed=seed, at=at)

    return new


@pytest.fixture
def rows(data):
    """The columns that the shop's interactions were made from, to make others from."""
    interactions, _ = data
    return {
        "users": interactions.user_ids[interactions.users],
        "items": interactions.item_ids[interactions.items],
        "timestamps": interactions.timestamps,
        "weights": interactions.weights,
    }
