"""What Shopify reports is counted once, in whatever order and however often it comes."""

from __future__ import annotations

import itertools
from decimal import Decimal
from functools import partial

import pytest
from django.test import Client

from shop_reco.events.models import Event, RejectedEvent
from shop_reco.privacy.services import erase_shopper
from shop_reco.products.models import Product
from shop_reco.products.selectors import showable
from shop_reco.products.services import ProductDraft, upsert_products
from shop_reco.users.models import Shopper
from shop_reco.users.services import decide_consent
from shop_reco.webhooks import carrying
from shop_reco.webhooks.models import WebhookDelivery
from shop_reco.webhooks.services import replay_delivery
from tests.threads import at_once

from .conftest import make
from .senders import level, moment, shopify, shopify_order, shopify_product, shopify_refund


@pytest.fixture
def sold(shopify_source, client):
    shopify(client, shopify_source, "products/create", shopify_product(-100))
    return shopify_source


def told(kind=None):
    found = Event.objects.order_by("type", "id")
    found = found.filter(type=kind) if kind else found
    columns = ("type", "product__sku", "quantity", "price", "currency", "order", "shopper__external_id")
    return list(found.values_list(*columns))


BOUGHT = ("purchase", "IPOD2008GREEN", 2, Decimal("199.00"), "EUR", "450789469", "207119551")


def test_an_order_becomes_purchases_once_however_it_is_told(sold, client):
    for topic in ("orders/create", "orders/paid", "orders/updated", "orders/create"):
        assert shopify(client, sold, topic, shopify_order()).status_code == 200
    assert told() == [BOUGHT]
    assert Event.objects.get().channel == "web"
    # edited since: what was stored stays, and no conflict is made of it
    line = shopify_order()["line_items"][0] | {"quantity": 3}
    shopify(client, sold, "orders/updated", shopify_order(line_items=[line]))
    assert told() == [BOUGHT]
    assert not RejectedEvent.objects.exists()


def test_the_price_is_what_was_paid_for_one_piece(sold, client):
    line = shopify_order()["line_items"][0]
    discounts = [{"amount": "10.00"}, {"amount": "5.01"}]
    shopify(client, sold, "orders/create", shopify_order(line_items=[line | {"discount_allocations": discounts}]))
    assert Event.objects.get().price == Decimal("191.50")  # (2 x 199.00 - 15.01) / 2, rounded half to even


def test_a_line_is_found_by_its_variant_not_by_its_sku(sold, client):
    renamed = shopify_order()["line_items"][0] | {"sku": "ANOTHER"}
    nameless = renamed | {"id": 2, "variant_id": 39072857, "sku": None}
    tip = renamed | {"id": 3, "variant_id": None, "product_id": None, "sku": None}
    reply = shopify(client, sold, "orders/create", shopify_order(line_items=[renamed, nameless, tip]))
    assert reply.json()["report"]["counts"]["ignored: line without a product"] == 1
    assert {row[1] for row in told()} == {"IPOD2008GREEN", "shopify-632910392-39072857"}


def test_guests_and_test_orders_are_counted_and_kept_nowhere(sold, client):
    for changes, reason in (({"customer": None}, "guest order"), ({"test": True}, "test order")):
        reply = shopify(client, sold, "orders/create", shopify_order(**changes))
        assert reply.json()["report"]["counts"][f"ignored: {reason}"] == 1
    assert not Event.objects.exists()
    assert not Shopper.objects.exists()


def test_refunds_and_cancellations_take_back_what_was_bought_and_no_more(sold, client):
    assert shopify(client, sold, "refunds/create", shopify_refund()).json()["report"]["counts"][
        "ignored: refund of a purchase that is not known"
    ] == 1  # fmt: skip
    shopify(client, sold, "orders/create", shopify_order())
    shopify(client, sold, "refunds/create", shopify_refund())
    shopify(client, sold, "orders/updated", shopify_order(refunds=[shopify_refund()]))
    assert [row[:3] for row in told("refund")] == [("refund", "IPOD2008GREEN", 1)]
    assert Event.objects.get(type="refund").shopper.external_id == "207119551"
    cancelled = shopify_order(cancelled_at=moment(90), refunds=[shopify_refund()])
    for _ in range(2):
        shopify(client, sold, "orders/cancelled", cancelled)
    assert sum(row[2] for row in told("refund")) == 2
    assert told("purchase") == [BOUGHT]


def test_any_order_of_an_orders_deliveries_ends_in_the_same_events(sold, client):
    deliveries = [
        ("orders/create", shopify_order()),
        ("refunds/create", shopify_refund()),
        ("orders/cancelled", shopify_order(cancelled_at=moment(90), refunds=[shopify_refund()])),
    ]
    ends = set()
    for order in itertools.permutations(deliveries):
        Event.objects.all().delete()
        for topic, payload in order:
            shopify(client, sold, topic, payload)
        ends.add(tuple(Event.objects.order_by("id").values_list("id", "type", "quantity", "occurred_at__date")))
    assert len(ends) == 1
    assert len(*ends) == 3


def cancelled(*refunds):
    return "orders/cancelled", shopify_order(cancelled_at=moment(90), refunds=list(refunds))


@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize(
    ("deliveries", "back"),
    [
        # the cancellation knows of no refund, and one is told before it or after it
        ([cancelled(), ("refunds/create", shopify_refund(2))], [2]),
        ([("refunds/create", shopify_refund(2)), cancelled()], [2]),
        ([cancelled(), ("refunds/create", shopify_refund(1))], [2]),
        ([("refunds/create", shopify_refund(1)), cancelled()], [1, 1]),
        # and then the whole is told again
        ([cancelled(), ("orders/updated", cancelled(shopify_refund(2))[1])], [2]),
        ([("refunds/create", shopify_refund(2)), cancelled(), cancelled(shopify_refund(2))], [2]),
        ([("refunds/create", shopify_refund(1)), ("refunds/create", shopify_refund(2, id=5))], [1, 1]),
    ],
)
def test_no_more_is_taken_back_than_was_bought(shopify_source, client, linked, deliveries, back):
    if linked:
        shopify(client, shopify_source, "products/create", shopify_product(-100))
    else:  # the catalogue came by another way, and lines are found by their SKU
        upsert_products(rows=[ProductDraft(sku="IPOD2008GREEN", title="IPod")])
    shopify(client, shopify_source, "orders/create", shopify_order())
    for topic, payload in deliveries:
        assert shopify(client, shopify_source, topic, payload).status_code == 200
    assert sorted(row[2] for row in told("refund")) == back
    assert [row[2] for row in told("purchase")] == [2]


@pytest.mark.django_db(transaction=True)
def test_a_cancellation_and_a_refund_at_once_take_back_what_was_bought():
    source = make("shopify", currency="EUR")
    shopify(Client(), source, "products/create", shopify_product(-100))
    for n in range(1, 9):
        shopify(Client(), source, "orders/create", shopify_order(id=n))
        refund = shopify_refund(2, id=n, order_id=n)
        cancelling = shopify_order(id=n, cancelled_at=moment(90))
        replies = at_once(
            partial(shopify, Client(), source, "refunds/create", refund),
            partial(shopify, Client(), source, "orders/cancelled", cancelling),
        )
        assert {reply.status_code for reply in replies} == {200}
        assert sum(row[2] for row in told("refund") if row[5] == str(n)) == 2


@pytest.mark.parametrize("sku", [[], {}, 7, None, "a\x00"])
def test_a_sku_of_another_kind_is_a_refusal_of_its_line_when_it_is_taken_back(shopify_source, client, sku):
    line = shopify_order()["line_items"][0] | {"sku": sku}
    order = shopify_order(line_items=[line], cancelled_at=moment(90), refunds=[shopify_refund()])
    reply = shopify(client, shopify_source, "orders/cancelled", order)
    assert reply.json()["report"]["counts"]["events rejected"] == 3


def test_lines_of_one_product_are_taken_back_together(sold, client):
    line = shopify_order()["line_items"][0]
    lines = [line | {"id": n, "quantity": 1} for n in (1, 2, 3)]
    shopify(client, sold, "orders/create", shopify_order(line_items=lines))
    refund = shopify_refund()
    refund["refund_line_items"][0] |= {"line_item_id": 2, "line_item": lines[1]}
    shopify(client, sold, "refunds/create", refund)
    reply = shopify(client, sold, "orders/cancelled", shopify_order(line_items=lines, cancelled_at=moment(90)))
    assert reply.json()["report"]["counts"]["ignored: pieces that were taken back before"] == 1
    assert sum(row[2] for row in told("refund")) == 3
    # another order of the same shopper and product has its own count
    shopify(client, sold, "orders/create", shopify_order(id=2, cancelled_at=moment(91)))
    assert sum(row[2] for row in told("refund")) == 5


def test_an_order_from_before_an_erasure_is_not_cancelled_after_it(sold, client):
    shopify(client, sold, "orders/create", shopify_order())
    erase_shopper(shopper=Shopper.objects.get())
    again = Shopper.objects.create(external_id="207119551")
    decide_consent(shopper=again, decisions={"training": True}, source="shop")
    reply = shopify(client, sold, "orders/cancelled", shopify_order(cancelled_at=moment(60 * 24 + 5)))
    assert reply.json()["report"]["counts"] == {"ignored: erased shopper": 2}
    assert not Event.objects.exists()


def test_an_order_of_an_unknown_product_waits_for_it(shopify_source, client):
    shopify(client, shopify_source, "orders/create", shopify_order())
    assert RejectedEvent.objects.get().payload["sku"] == "IPOD2008GREEN"
    shopify(client, shopify_source, "products/create", shopify_product())
    shopify(client, shopify_source, "orders/updated", shopify_order())
    assert told() == [BOUGHT]


def test_a_product_is_a_parent_with_its_variants(sold):
    rows = Product.objects.order_by("sku").values_list("sku", "parent__sku", "title", "price", "stock", "brand__name")
    assert list(rows) == [
        ("IPOD2008GREEN", "shopify-632910392", "IPod Nano - Green", Decimal("199.00"), 7, "Apple"),
        ("shopify-632910392", None, "IPod Nano", Decimal("189.00"), 10, "Apple"),
        ("shopify-632910392-39072857", "shopify-632910392", "IPod Nano - Red", Decimal("189.00"), 3, "Apple"),
    ]
    parent = Product.objects.get(parent=None)
    assert (parent.description, parent.category.path, parent.currency) == ("It's small", "Music > Players", "EUR")
    assert parent.attributes == {"tags": ["small", "loud"]}
    assert [each.sku for each in showable()] == ["shopify-632910392"]


def test_a_title_with_markup_stays_text_on_every_page(shopify_source, client, staff):
    alone, title = shopify_product()["variants"][:1], "<script>alert(1)</script>"
    payload = shopify_product(title=title, product_type=title, vendor=title, variants=alone)
    shopify(client, shopify_source, "products/create", payload)
    product = Product.objects.get()
    assert product.title == title
    for page in ("/", f"/product/{product.public_id}/", "/search/?q=alert", f"/category/{product.category.slug}/"):
        text = client.get(page).content.decode()
        assert "<script>alert(1)" not in text
        assert "&lt;script&gt;alert(1)" in text, page


def test_a_product_with_one_variant_is_one_row(shopify_source, client):
    alone = shopify_product()["variants"][:1]
    alone[0] |= {"title": "Default Title", "inventory_management": None}
    shopify(client, shopify_source, "products/create", shopify_product(variants=alone))
    product = Product.objects.get()
    assert (product.sku, product.title, product.parent, product.stock) == ("IPOD2008GREEN", "IPod Nano", None, None)
    line = shopify_order()["line_items"][0] | {"variant_id": None, "sku": ""}
    shopify(client, shopify_source, "orders/create", shopify_order(line_items=[line]))
    assert Event.objects.get().product == product


def test_a_variant_that_is_left_out_is_gone_and_a_draft_is_hidden(sold, client):
    shopify(client, sold, "products/update", shopify_product(1, variants=shopify_product()["variants"][1:]))
    open_ = [each.sku for each in Product.objects.order_by("sku") if each.open]
    assert open_ == ["shopify-632910392-39072857"]
    for changes in ({"status": "draft"}, {"published_at": None}):
        shopify(client, sold, "products/update", shopify_product(2, **changes))
        assert not showable().exists()


def test_variants_that_did_not_fit_the_payload_are_not_taken_for_gone(sold, client):
    gids = [{"admin_graphql_api_id": f"gid://shopify/ProductVariant/{n}"} for n in range(150)]
    green = shopify_product()["variants"][0]
    first = [green, green | {"id": 5, "sku": "NEW"}]
    shopify(client, sold, "products/update", shopify_product(1, variants=first, variant_gids=gids))
    assert Product.objects.get(sku="shopify-632910392-39072857").open


def test_an_older_account_of_a_product_changes_nothing(sold, client):
    shopify(
        client, sold, "products/update", shopify_product(5, title="New", variants=shopify_product()["variants"][:1])
    )
    reply = shopify(client, sold, "products/update", shopify_product(1, title="Old"))
    assert reply.json()["report"]["counts"] == {"rows stale": 3}
    assert [each.title for each in showable()] == ["New"]


def test_a_deletion_holds_whatever_comes_after_it(shopify_source, client):
    shopify(client, shopify_source, "products/delete", {"id": 632910392}, at=moment(60))
    shopify(client, shopify_source, "products/create", shopify_product(1))
    assert not showable().exists()
    assert not any(each.open for each in Product.objects.all())
    shopify(client, shopify_source, "products/update", shopify_product(120))
    assert showable().count() == 1


def test_a_deleted_product_is_gone_with_its_variants_and_keeps_its_events(sold, client):
    shopify(client, sold, "orders/create", shopify_order())
    shopify(client, sold, "products/delete", {"id": 632910392})
    assert not any(each.open for each in Product.objects.all())
    assert told() == [BOUGHT]


def test_a_body_of_another_kind_than_its_topic_is_refused(sold, client):
    """The topic is not signed: an update must not be made a deletion by who saw it pass."""
    reply = shopify(client, sold, "products/delete", shopify_product(5))
    assert (reply.status_code, reply.json()["code"]) == (202, "BAD_PAYLOAD")
    assert shopify(client, sold, "orders/create", shopify_product(5)).json()["code"] == "BAD_PAYLOAD"
    assert showable().count() == 1


def test_stock_is_the_sum_of_the_rooms_each_by_its_own_clock(sold, client):
    green = Product.objects.get(sku="IPOD2008GREEN")

    def stock(**values):
        reply = shopify(client, sold, "inventory_levels/update", level(**values))
        assert reply.status_code == 200
        green.refresh_from_db()
        return green.stock

    assert stock(available=4, minutes=10) == 4
    assert stock(available=9, minutes=9) == 4
    assert stock(available=6, minutes=8, location=2) == 10
    assert stock(available=-3, minutes=11) == 6
    assert stock(available=None, minutes=12) == 6
    shopify(client, sold, "products/update", shopify_product(5))
    green.refresh_from_db()
    assert green.stock == 6


def test_stock_that_comes_before_its_product_waits_for_it(shopify_source, client):
    reply = shopify(client, shopify_source, "inventory_levels/update", level(available=2))
    assert reply.json()["report"]["counts"] == {"waiting for its product": 1}
    shopify(client, shopify_source, "products/create", shopify_product())
    assert Product.objects.get(sku="IPOD2008GREEN").stock == 2


def test_a_bad_variant_is_kept_for_staff_and_its_neighbours_are_stored(shopify_source, client):
    variants = shopify_product()["variants"]
    variants[1]["price"] = "-5"
    reply = shopify(client, shopify_source, "products/create", shopify_product(variants=variants))
    assert reply.status_code == 202
    assert Product.objects.filter(sku="IPOD2008GREEN").exists()
    failed = WebhookDelivery.objects.get()
    assert failed.code == "BAD_FIELD"
    # mended
    variants[1]["price"] = "5"
    shopify(client, shopify_source, "products/update", shopify_product(variants=variants))
    assert Product.objects.get(sku="shopify-632910392-39072857").price == 5
    # and the first one, done again, is the older account by now
    assert replay_delivery(delivery=failed).content["report"]["counts"] == {"rows stale": 3}
    assert Product.objects.get(sku="shopify-632910392-39072857").price == 5


def test_two_shops_with_the_same_ids_are_told_apart_by_their_prefix(sold, client):
    other = make("shopify", name="other", prefix="b-")
    shopify(client, sold, "orders/create", shopify_order())
    shopify(client, other, "products/create", shopify_product())
    shopify(client, other, "orders/create", shopify_order())
    assert set(Shopper.objects.values_list("external_id", flat=True)) == {"207119551", "b-207119551"}
    assert Event.objects.count() == 2


def test_a_large_order_is_recorded_whole(sold, client):
    line = shopify_order()["line_items"][0]
    lines = [line | {"id": n} for n in range(1, 701)]
    reply = shopify(client, sold, "orders/create", shopify_order(line_items=lines))
    assert reply.json()["report"]["counts"]["events accepted"] == 700


def test_ids_that_are_none_are_refused(sold, client):
    for wrong in ({"id": {"a": 1}}, {"id": None}, {"id": "x" * 65}, {"customer": {"id": "x" * 101}}):
        assert shopify(client, sold, "orders/create", shopify_order(**wrong)).json()["code"] == "BAD_PAYLOAD"
    assert not Event.objects.exists()
    nested = shopify(client, sold, "orders/create", shopify_order(customer={"id": {"email": "e"}}))
    assert nested.json()["report"]["counts"] == {"ignored: guest order": 1}


def test_a_customer_whom_shopify_redacts_is_erased_and_nobody_by_another_body(sold, client):
    shopify(client, sold, "orders/create", shopify_order())
    assert shopify(client, sold, "customers/redact", shopify_order(id=2)).json()["code"] == "BAD_PAYLOAD"
    assert Shopper.objects.count() == 1
    redact = {"shop_id": 1, "customer": {"id": 207119551, "email": "a@example.com"}, "orders_to_redact": [450789469]}
    for erased in (1, None):
        reply = shopify(client, sold, "customers/redact", redact)
        assert reply.json()["report"]["counts"].get("shoppers erased") == erased
    assert not Shopper.objects.exists()
    reply = shopify(client, sold, "orders/updated", shopify_order())
    assert reply.json()["report"]["counts"]["ignored: erased shopper"] == 1
    assert not Event.objects.exists()


REDACT = {"shop_id": 1, "customer": {"id": 207119551, "email": "a@example.com"}, "orders_to_redact": [450789469]}


def test_a_redacted_customer_whom_nobody_knows_here_leaves_what_failed_as_well(sold, client):
    shopify(client, sold, "orders/create", shopify_order(id=None))
    assert WebhookDelivery.objects.get(state="failed").payload["customer"] == {"id": 207119551}
    assert not Shopper.objects.exists()
    reply = shopify(client, sold, "customers/redact", REDACT)
    assert reply.json() == {"state": "done", "report": {"counts": {}}}
    assert WebhookDelivery.objects.get(state="failed").payload is None


def test_a_customer_who_is_gone_when_their_turn_comes_is_no_failure(sold, client, monkeypatch):
    shopify(client, sold, "orders/create", shopify_order())

    def beaten(*, shopper):
        erase_shopper(shopper=shopper)  # the other request
        return erase_shopper(shopper=shopper)

    monkeypatch.setattr(carrying, "erase_shopper", beaten)
    reply = shopify(client, sold, "customers/redact", REDACT)
    assert reply.json() == {"state": "done", "report": {"counts": {}}}
    assert not WebhookDelivery.objects.filter(payload__isnull=False).exists()


def test_a_request_to_erase_that_failed_is_kept_until_it_is_done(sold, client, monkeypatch):
    shopify(client, sold, "orders/create", shopify_order())
    decide_consent(
        shopper=Shopper.objects.get(), decisions={"personalisation": False, "training": False}, source="shop"
    )

    def broken(*, shopper):
        raise KeyError

    with monkeypatch.context() as patch:
        patch.setattr(carrying, "erase_shopper", broken)
        assert shopify(client, sold, "customers/redact", REDACT).json()["code"] == "INTERNAL"
    failed = WebhookDelivery.objects.get(state="failed")
    assert replay_delivery(delivery=failed).content["report"]["counts"] == {"shoppers erased": 1}
    assert not Shopper.objects.exists()
    assert not WebhookDelivery.objects.filter(payload__isnull=False).exists()


def test_a_captured_request_erases_nothing_twice_and_waits_for_staff(sold, client):
    shopify(client, sold, "orders/create", shopify_order())
    shopify(client, sold, "customers/redact", REDACT)
    again = Shopper.objects.create(external_id="207119551")
    reply = shopify(client, sold, "customers/redact", REDACT)
    assert (reply.status_code, reply.json()["code"]) == (202, "REPEATED")
    assert Shopper.objects.get() == again
    # a request in other words is another one
    other = Shopper.objects.create(external_id="5")
    shopify(client, sold, "customers/redact", {**REDACT, "customer": {"id": 5}})
    assert not Shopper.objects.filter(pk=other.pk).exists()
    # the customer did ask again
    failed = WebhookDelivery.objects.get(state="failed")
    assert replay_delivery(delivery=failed).content["report"]["counts"] == {"shoppers erased": 1}
    assert not Shopper.objects.exists()
    assert not WebhookDelivery.objects.filter(payload__isnull=False).exists()


def test_what_only_claims_to_be_a_request_to_erase_is_not_kept_of_who_may_not_be_followed(sold, client):
    erase_shopper(shopper=Shopper.objects.create(external_id="207119551"))
    assert shopify(client, sold, "customers/redact", shopify_order()).json()["code"] == "BAD_PAYLOAD"
    assert WebhookDelivery.objects.get(state="failed").payload is None


def test_a_request_to_erase_nobody_is_refused(sold, client):
    reply = shopify(client, sold, "customers/redact", {**REDACT, "customer": {"email": "a@example.com"}})
    assert (reply.status_code, reply.json()["code"]) == (202, "BAD_PAYLOAD")
