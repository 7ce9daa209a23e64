"""What a shopper can take along, and what is left of them after."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from shop_reco.privacy.errors import ShopperGoneError
from shop_reco.privacy.services import erase_shopper, export_shopper
from shop_reco.recommendations.serving import recommend_for
from shop_reco.users.models import Shopper
from shop_reco.users.services import create_visitor, decide_consent


def test_erasing_leaves_no_row_and_a_receipt_without_a_name(trained, person):
    assert export_shopper(shopper=person)["event"]
    receipt = erase_shopper(shopper=person)
    assert receipt.counts["event"] == 8
    assert not Shopper.objects.filter(external_id="h0").exists()
    assert "h0" not in json.dumps([receipt.counts, receipt.versions])


def test_a_second_erasure_finds_nobody(shop, person):
    erase_shopper(shopper=person)
    with pytest.raises(ShopperGoneError):
        erase_shopper(shopper=person)


def test_an_export_names_products_by_their_public_ids_and_shows_no_keys(trained, person):
    served = recommend_for(shopper=person, first=3)
    content = export_shopper(shopper=person)
    listed = [item["product"] for item in content["slate"][0]["items"]]
    assert listed == [edge.product.public_id for edge in served.edges]
    public_ids = {product.public_id for product in trained.products.values()}
    assert {row["product"] for row in content["event"]} <= public_ids
    evidence = [
        key for item in content["slate"][0]["items"] for reason in item["reasons"] for key in reason["evidence"]
    ]
    assert evidence
    assert set(evidence) <= public_ids
    rows = [row for table, rows in content.items() if table != "profile" for row in rows]
    assert not [row for row in rows if isinstance(row.get("id"), int) or "product_id" in row]


@pytest.mark.django_db(transaction=True)
def test_of_erasures_at_once_one_gets_the_receipt():
    visitor = create_visitor()
    decide_consent(shopper=visitor, decisions={"personalisation": True}, source="test")

    def erase(_):
        try:
            return erase_shopper(shopper=visitor)
        except ShopperGoneError:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        receipts = list(pool.map(erase, range(8)))
    assert len([receipt for receipt in receipts if receipt is not None]) == 1
