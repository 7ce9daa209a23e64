"""What WooCommerce reports is counted once, in whatever order and however often it comes."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from shop_reco.events.models import Event
from shop_reco.privacy.services import erase_shopper
from shop_reco.products.models import Product
from shop_reco.products.selectors import showable
from shop_reco.users.models import Shopper
from shop_reco.users.services import decide_consent
from shop_reco.webhooks.models import WebhookDelivery

from .senders import gmt, woo_order, woo_product, woocommerce


@pytest.fixture
def sold(woo_source, client):
    woocommerce(client, woo_source, "product.created", woo_product(-100))
    return woo_source


def told(kind):
    return list(Event.objects.filter(type=kind).values_list("product__sku", "quantity", "price", "currency", "order"))


def test_an_order_becomes_purchases_once_however_it_is_told(sold, client):
    for topic, changes in (("order.created", {}), ("order.updated", {"status": "completed"}), ("order.updated", {})):
        assert woocommerce(client, sold, topic, woo_order(**changes)).status_code == 200
    # 6.01 for two pieces, and no more than cents are kept
    assert told("purchase") == [("WOO-93", 2, Decimal("3.00"), "EUR", "727")]
    assert Event.objects.get().shopper.external_id == "26"


def test_times_are_utc_or_the_shops_own(sold, client):
    said = gmt()
    order = woo_order(date_created_gmt=None, date_created=said)
    woocommerce(client, sold, "order.created", order)
    bought_at = Event.objects.get().occurred_at
    naive = dt.datetime.fromisoformat(said).replace(tzinfo=dt.UTC)
    assert naive - bought_at.replace(microsecond=0) in (dt.timedelta(hours=1), dt.timedelta(hours=2))


@pytest.mark.parametrize("status", ["pending", "on-hold", "checkout-draft"])
def test_an_order_that_is_not_paid_yet_is_no_purchase(sold, client, status):
    reply = woocommerce(client, sold, "order.created", woo_order(status=status, date_paid_gmt=None))
    assert reply.json()["report"]["counts"] == {"ignored: order not paid yet": 1}
    woocommerce(client, sold, "order.updated", woo_order())
    assert len(told("purchase")) == 1


@pytest.mark.parametrize("status", ["cancelled", "refunded"])
def test_an_order_that_is_undone_takes_its_purchases_back_once(sold, client, status):
    woocommerce(client, sold, "order.created", woo_order())
    for _ in range(2):
        woocommerce(client, sold, "order.updated", woo_order(status=status))
    assert [row[:2] for row in told("refund")] == [("WOO-93", 2)]


def test_an_order_that_was_never_paid_has_nothing_to_give_back(sold, client):
    reply = woocommerce(client, sold, "order.updated", woo_order(status="cancelled", date_paid_gmt=None))
    assert reply.json()["report"]["counts"]["ignored: refund of a purchase that is not known"] == 1
    assert not Event.objects.exists()


def test_what_takes_back_a_purchase_from_before_an_erasure_is_not_recorded_either(sold, client):
    woocommerce(client, sold, "order.created", woo_order())
    erase_shopper(shopper=Shopper.objects.get())
    decide_consent(shopper=Shopper.objects.create(external_id="26"), decisions={"training": True}, source="shop")
    late = woo_order(status="refunded", date_modified_gmt=gmt(60 * 24 + 5))
    reply = woocommerce(client, sold, "order.updated", late)
    assert reply.json()["report"]["counts"] == {"ignored: erased shopper": 2}
    assert not Event.objects.exists()


def test_guests_and_deleted_orders_are_counted_and_kept_nowhere(sold, client):
    guest = woocommerce(client, sold, "order.created", woo_order(customer_id=0))
    assert guest.json()["report"]["counts"] == {"ignored: guest order": 1}
    gone = woocommerce(client, sold, "order.deleted", {"id": 727})
    assert gone.json()["report"]["counts"] == {"ignored: deleted order": 1}
    assert not Shopper.objects.exists()


def test_two_deliveries_of_one_second_have_one_id_and_are_both_done(sold, client):
    orders = [woo_order(id=number) for number in (1, 2)]
    for order in orders:
        woocommerce(client, sold, "order.created", order, delivery="same")
    assert Event.objects.count() == 2
    again = woocommerce(client, sold, "order.created", orders[1], delivery="same")
    assert again.json()["state"] == "duplicate"
    assert WebhookDelivery.objects.filter(topic="order.created").count() == 2


def test_a_product_is_told_in_plain_text(sold):
    product = Product.objects.get()
    assert (product.sku, product.title, product.description) == ("WOO-93", "Café – <b>bold</b>", "Strong & black")
    assert (product.price, product.currency, product.stock) == (Decimal("21.99"), "EUR", 5)
    assert product.category.path == "Coffee & tea"


def test_a_variation_belongs_to_its_parent(sold, client):
    variation = woo_product(id=94, name="Café - L", type="variation", parent_id=93, sku="", price="", regular_price="")
    woocommerce(client, sold, "product.created", variation)
    found = Product.objects.get(sku="woo-94")
    assert (found.parent.sku, found.price) == ("WOO-93", None)
    line = woo_order()["line_items"][0] | {"variation_id": 94}
    woocommerce(client, sold, "order.created", woo_order(line_items=[line]))
    assert Event.objects.get().product == found
    orphan = woocommerce(client, sold, "product.created", woo_product(id=95, type="variation", parent_id=7, sku=""))
    assert orphan.json()["report"]["rejected"][0]["code"] == "UNKNOWN_PARENT"


def test_older_accounts_deletions_and_restorations(sold, client):
    woocommerce(client, sold, "product.updated", woo_product(5, name="New"))
    woocommerce(client, sold, "product.updated", woo_product(1, name="Old"))
    assert showable().get().title == "New"
    woocommerce(client, sold, "product.deleted", {"id": 93})
    woocommerce(client, sold, "product.updated", woo_product(6, name="Late"))
    assert not showable().exists()
    woocommerce(client, sold, "product.restored", woo_product(7, name="Back"))
    assert showable().get().title == "Back"


@pytest.mark.parametrize(
    ("changes", "stock"),
    [
        ({}, 5),
        ({"stock_quantity": -2}, 0),
        ({"backorders_allowed": True}, None),
        ({"manage_stock": False}, None),
        ({"manage_stock": False, "stock_status": "outofstock"}, 0),
    ],
)
def test_stock_is_counted_where_the_shop_counts_it(woo_source, client, changes, stock):
    woocommerce(client, woo_source, "product.created", woo_product(**changes))
    assert Product.objects.get().stock == stock


def test_drafts_and_hidden_products_are_not_shown(sold, client):
    for n, changes in enumerate(({"status": "draft"}, {"catalog_visibility": "hidden"}), start=1):
        woocommerce(client, sold, "product.updated", woo_product(n, **changes))
        assert not showable().exists()


def test_a_body_of_another_kind_than_its_topic_is_refused(sold, client):
    assert woocommerce(client, sold, "product.deleted", woo_product(5)).json()["code"] == "BAD_PAYLOAD"
    assert showable().count() == 1
