"""A deleted product is nowhere to be had, from the next request on."""

from __future__ import annotations

from shop_reco.products.engine import cleaned_catalogue
from shop_reco.products.models import Product
from shop_reco.products.services import delete_products, set_visibility
from shop_reco.recommendations.serving import recommend_for
from tests.shop_reco.conftest import skus
from tests.shop_reco.graphql import ask


def test_a_deleted_product_leaves_every_list_page_and_cart(trained, person, client):
    before = recommend_for(shopper=person, first=36).edges
    first = before[0].product
    page, query = f"/product/{first.public_id}/", f'query {{ product(sku: "{first.sku}") {{ sku }} }}'
    client.post("/cart/", {"action": "add", "product": str(first.public_id)})
    assert first.title in client.get("/cart/").content.decode()
    assert client.get(page).status_code == 200
    assert ask(client, query)["data"]["product"] == {"sku": first.sku}
    delete_products(skus=[first.sku])
    served = recommend_for(shopper=person, first=36)
    assert first.sku not in skus(served)
    assert len(served.edges) == len(before) - 1
    assert client.get(page).status_code == 404
    assert ask(client, query)["data"]["product"] is None
    listed = ask(client, "{ products(first: 50) { edges { node { sku } } } }")["data"]["products"]["edges"]
    assert len(listed) == 35
    assert first.title not in client.get("/cart/").content.decode()


def evidence(served):
    return {product.sku for edge in served.edges for reason in edge.reasons for product in reason.evidence}


def test_a_reason_names_nothing_that_was_deleted_or_hidden(trained, person):
    named = sorted(evidence(recommend_for(shopper=person, first=36)))
    assert len(named) > 2
    delete_products(skus=[named[0]])
    set_visibility(products=[trained.products[named[1]]], visible=False)
    served = recommend_for(shopper=person, first=34)
    assert evidence(served) == set(named[2:])
    texts = " ".join(reason.text for edge in served.edges for reason in edge.reasons)
    assert trained.products[named[0]].title + " " not in texts + " "


def test_training_knows_a_deleted_product_and_no_bare_tombstone(shop):
    delete_products(skus=["Tea-1", "never-told-of"])
    ids = set(cleaned_catalogue().catalogue.item_ids.tolist())
    assert shop.products["Tea-1"].pk in ids
    assert Product.objects.get(sku="never-told-of").pk not in ids
