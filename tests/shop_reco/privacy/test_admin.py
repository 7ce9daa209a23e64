"""An erasure's receipt is readable, and names nobody."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from shop_reco.privacy.models import ErasureReceipt
from shop_reco.privacy.services import erase_shopper


@pytest.fixture
def staff(db, client):
    client.force_login(User.objects.create_superuser("staff"))
    return client


def test_a_receipt_says_how_much_went_and_not_whose_it_was(shop, person, staff):
    receipt = erase_shopper(shopper=person)
    page = staff.get(f"/admin/reco_privacy/erasurereceipt/{receipt.pk}/change/").content.decode()
    assert receipt.sha256 in page
    assert "<dd>8</dd>" in page
    assert ">h0<" not in page


def test_a_receipt_cannot_be_deleted(shop, person, staff):
    receipt = erase_shopper(shopper=person)
    assert staff.post(f"/admin/reco_privacy/erasurereceipt/{receipt.pk}/delete/", {"post": "yes"}).status_code == 403
    assert ErasureReceipt.objects.count() == 1
