"""What an answer was made of is let go of with it: old models are unmapped, and no pause comes to collect the rest."""

from __future__ import annotations

import gc
import weakref

import pytest

from shop_reco.recommendations.serving.memory import memory
from tests.shop_reco.graphql import ask

LISTS = "{ recommendations(first: 5) { edges { node { sku } reasons { text } } } }"


@pytest.fixture
def collector():
    """Garbage stays where it is until the end of the test."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def over_http(client):
    assert ask(client, LISTS)["data"]["recommendations"]["edges"]


def by_a_page(client):
    assert "Tea" in client.get("/").text


@pytest.mark.parametrize("answered", [over_http, by_a_page])
def test_models_go_with_the_last_who_uses_them(trained, client, collector, answered):
    answered(client)  # what is made once stays
    answered(client)
    view = weakref.ref(memory.view())
    memory.forget()
    assert view() is None
