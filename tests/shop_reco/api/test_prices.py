"""A price is not a function of the shopper: whoever asks at one time is told the same one."""

from __future__ import annotations

import itertools
import random

import pytest
from django.test import Client

from shop_reco.events.services import track
from shop_reco.products.models import Product
from shop_reco.users.models import Shopper
from shop_reco.users.services import ShopperDraft, decide_consent, import_shoppers, issue_key
from tests.shop_reco.graphql import ask

pytestmark = pytest.mark.any_database

ALL = "{ products(first: 36) { edges { node { sku price currency } } } }"
ONE = "query($s: String!) { product(sku: $s) { sku price currency } }"
LISTS = """query($p: ID!) {
  home: recommendations(first: 36) { edges { node { sku price currency } } }
  popular: recommendations(placement: "popular", first: 36) { edges { node { sku price currency } } }
  similar: similarProducts(product: $p, first: 12) { edges { node { sku price currency } } }
  again: buyAgain(first: 12) { edges { node { sku price currency } } }
}"""
PEOPLE = 46  # 1,035 pairs


def told(*answers):
    """Every price that was told, by product; a product told at two prices has both."""
    prices = {}
    for node in (node for answer in answers for node in nodes(answer)):
        prices.setdefault(node["sku"], set()).add((node["price"], node["currency"]))
    return prices


def nodes(value):
    if isinstance(value, dict):
        if "price" in value:
            yield value
        for inner in value.values():
            yield from nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes(inner)


@pytest.mark.any_database
def test_a_thousand_pairs_of_shoppers_are_told_the_same_prices(trained):
    chance = random.Random(5)
    names = [f"p{n}" for n in range(PEOPLE)]
    drafts = [
        ShopperDraft(
            external_id=name,
            age_band=chance.choice(["", "18-24", "65+"]),
            gender=chance.choice(["", "female", "male", "other"]),
            region=chance.choice(["", "north", "south"]),
        )
        for name in names
    ]
    import_shoppers(rows=drafts)
    headers = {"Authorization": f"Bearer {issue_key(name='server', scopes=['lists:read', 'events:write'])[1]}"}
    heard = {}
    for name in names:
        shopper = Shopper.objects.get(external_id=name)
        allowed = {purpose: chance.random() < 0.6 for purpose in ("personalisation", "training", "analytics")}
        decide_consent(shopper=shopper, decisions=allowed, source="test")
        for sku in chance.sample(sorted(trained.products), chance.randrange(6)):
            kind = chance.choice(["view_item", "purchase", "add_to_cart"])
            track(shopper=shopper, type=kind, product=trained.products[sku])
        product = global_id_of(chance.choice(sorted(trained.products)))
        one = ask(Client(), ONE, {"s": chance.choice(sorted(trained.products))}, X_Shopper=name, **headers)
        lists = ask(Client(), LISTS, {"p": product}, X_Shopper=name, **headers)
        assert "errors" not in lists
        heard[name] = told(ask(Client(), ALL, X_Shopper=name, **headers), one, lists)
    assert all(len(prices) == 36 for prices in heard.values())
    pairs = list(itertools.combinations(names, 2))
    assert len(pairs) >= 1000
    for one, other in pairs:
        assert heard[one] == heard[other]
    assert all(len(each) == 1 for each in heard[names[0]].values())
    dearer = Product.objects.get(sku="Tea-1")
    Product.objects.filter(pk=dearer.pk).update(price=99)
    changed = told(ask(Client(), ALL, X_Shopper=names[0], **headers))
    assert changed["Tea-1"] != heard[names[0]]["Tea-1"]  # the probe sees a price that differs


def global_id_of(sku):
    from shop_reco.api.ids import global_id

    return global_id("Product", Product.objects.get(sku=sku).public_id)
