"""Whoever objects to personal lists gets the same list as anyone else who does, in the same place, at the same time."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.utils import timezone

from shop_reco.events.services import track
from shop_reco.portraits.services import edit_interests
from shop_reco.recommendations.services import give_feedback
from shop_reco.recommendations.serving import recommend_for
from shop_reco.users.models import Shopper
from shop_reco.users.services import decide_consent, issue_key
from tests.shop_reco.conftest import skus
from tests.shop_reco.graphql import ask

EDGE = "rung personalised edges { rank score placedBy node { sku price title } reasons { kind text points } }"
DOCUMENT = f"""query($p: ID!) {{
  home: recommendations(first: 20) {{ {EDGE} }}
  popular: recommendations(placement: "popular", first: 20) {{ {EDGE} }}
  similar: similarProducts(product: $p, first: 10) {{ {EDGE} }}
  together: boughtTogether(products: [$p], first: 10) {{ {EDGE} }}
  again: buyAgain(first: 10) {{ {EDGE} }}
}}"""


@pytest.fixture
def ask_as(trained, monkeypatch, settings):
    """Answers as bytes for a named shopper, or for a stranger; at one moment for all."""
    settings.SHOP_RECO = {**settings.SHOP_RECO, "QUERY_OBJECTS": 10_000}
    moment = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: moment)
    plain = issue_key(name="server", scopes=["lists:read"])[1]
    some = ask(Client(), '{ product(sku: "Tea-1") { id } }')["data"]["product"]["id"]

    def answer(name=None):
        headers = {"Authorization": f"Bearer {plain}", "X_Shopper": name} if name else {}
        reply = ask(Client(), DOCUMENT, {"p": some}, **headers)
        assert "errors" not in reply
        return json.dumps(reply["data"]).encode()

    return answer


def object_(name):
    shopper = Shopper.objects.get(external_id=name)
    decide_consent(shopper=shopper, decisions={"personalisation": False}, source="test")
    return shopper


def test_lists_of_two_who_object_are_equal_byte_for_byte(trained, ask_as):
    assert ask_as("h0") != ask_as("h1")  # the probe tells two shoppers apart
    for name in ("h0", "h1", "h2"):
        object_(name)
    track(shopper=object_("h1"), type="view_item", product=trained.products["Soap-1"])
    assert ask_as("h0") == ask_as("h1") == ask_as("h2") == ask_as()


def test_a_pin_counts_for_nothing_where_lists_are_not_personal(trained, ask_as):
    person = object_("h0")
    edit_interests(shopper=person, pin=[("category", "Soap")])
    assert ask_as("h0") == ask_as()


@pytest.mark.parametrize("personal", [True, False])
@pytest.mark.parametrize("placement", ["home", "popular", "similar"])
def test_what_was_refused_or_blocked_stays_away_in_every_mode(trained, person, personal, placement):
    decide_consent(shopper=person, decisions={"personalisation": personal}, source="test")
    around = [trained.products["Cheese-3"]] if placement == "similar" else []

    def listed():
        return skus(recommend_for(shopper=person, placement=placement, products=around, first=36))

    before = listed()
    refused = next(sku for sku in before if not sku.startswith("Tea"))
    give_feedback(shopper=person, product=trained.products[refused], kind="not_interested")
    edit_interests(shopper=person, block=[("category", "Tea")])
    assert refused in before
    assert listed() == [sku for sku in before if sku != refused and not sku.startswith("Tea")]
    assert any(sku.startswith("Tea") for sku in before) or placement == "similar"


def test_another_shopper_is_not_touched_by_what_one_refused(trained, person, ask_as):
    object_("h0")
    object_("h1")
    before = ask_as("h1")
    first = recommend_for(shopper=person, first=1).edges[0].product
    give_feedback(shopper=person, product=first, kind="not_interested")
    assert ask_as("h1") == before
    assert ask_as("h0") != before
