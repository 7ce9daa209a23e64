"""What the demo shop's pages do, show and escape."""

from __future__ import annotations

from shop_reco.events.models import Event
from shop_reco.users.models import Shopper
from tests.shop_reco.graphql import ask


def test_checkout_writes_purchases_on_the_server(trained, client):
    ask(client, "mutation { updateConsent(input: {personalisation: true}) { consents { granted } } }")
    product = trained.products["Tea-1"]
    assert client.get(f"/product/{product.public_id}/").status_code == 200
    client.post("/cart/", {"action": "add", "product": str(product.public_id)})
    client.post("/cart/", {"action": "checkout"})
    visitor = Shopper.objects.get(external_id=None)
    assert Event.objects.filter(shopper=visitor, type="purchase", product=product).count() == 1


def test_what_a_catalogue_wrote_is_shown_as_text(trained, client):
    product = trained.products["Tea-1"]
    product.title = "<script>alert(1)</script>"
    product.save()
    assert b"<script>alert(1)" not in client.get(f"/product/{product.public_id}/").content


def test_the_shop_speaks_chinese(trained, client):
    page = client.get("/", headers={"Accept-Language": "zh-hans"}).content.decode()
    assert "为您精选" in page
    assert "当前热门" in page
