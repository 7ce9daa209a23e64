"""What a shopper can take along, and what is left of them after."""

from __future__ import annotations

import json

from shop_reco.privacy.services import erase_shopper, export_shopper
from shop_reco.users.models import Shopper


def test_erasing_leaves_no_row_and_a_receipt_without_a_name(trained, person):
    assert export_shopper(shopper=person)["event"]
    receipt = erase_shopper(shopper=person)
    assert receipt.counts["event"] == 8
    assert not Shopper.objects.filter(external_id="h0").exists()
    assert "h0" not in json.dumps([receipt.counts, receipt.versions])
