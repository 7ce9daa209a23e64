from __future__ import annotations

import pytest

from shop_reco.webhooks.sources import create_source

from .senders import SECRET

PURPOSES = ["personalisation", "training"]


def make(kind, **values):
    return create_source(**{"name": kind, "kind": kind, "secret": SECRET, "purposes": PURPOSES, **values})[0]


@pytest.fixture
def generic_source(db):
    return make("generic")


@pytest.fixture
def shopify_source(db):
    return make("shopify", currency="EUR")


@pytest.fixture
def woo_source(db):
    return make("woocommerce", currency="EUR", time_zone="Europe/Berlin")
