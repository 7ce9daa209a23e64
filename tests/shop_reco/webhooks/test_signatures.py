"""Nothing is done for who cannot sign, and every refusal is noted without a word of its body."""

from __future__ import annotations

import json
import time

import pytest
from django.utils import timezone

from shop_reco.products.models import Product
from shop_reco.webhooks import signatures
from shop_reco.webhooks.models import WebhookDelivery
from shop_reco.webhooks.sources import change_source, end_previous_secret, rotate_secret, set_enabled

from . import senders
from .senders import SECRET, digest, generic, post, shopify, shopify_product, woo_product, woocommerce

TEA = [{"sku": "tea", "title": "Tea"}]


def refusals():
    found = WebhookDelivery.objects.filter(state="refused").order_by("pk")
    assert all(each.payload is None and each.digest == "" for each in found)
    return list(found.values_list("code", flat=True))


def test_a_signed_delivery_is_carried_out(generic_source, client):
    reply = generic(client, generic_source, "products/upsert", TEA)
    assert (reply.status_code, reply.json()["state"]) == (200, "done")
    assert Product.objects.get().title == "Tea"
    assert refusals() == []


FORGED = {
    "another secret": ({"secret": "not the secret at all"}, 401, "BAD_SIGNATURE"),
    "no signature": ({"X-Reco-Signature": ""}, 401, "MISSING_HEADER"),
    "no delivery id": ({"X-Reco-Delivery": ""}, 401, "MISSING_HEADER"),
    "no time": ({"X-Reco-Timestamp": ""}, 401, "MISSING_HEADER"),
    "no hexadecimal": ({"X-Reco-Signature": "sha256=zz"}, 401, "BAD_SIGNATURE"),
    "a short signature": ({"X-Reco-Signature": "sha256=00"}, 401, "BAD_SIGNATURE"),
    "another time": ({"X-Reco-Timestamp": str(int(time.time()) + 1)}, 401, "BAD_SIGNATURE"),
    "another delivery id": ({"X-Reco-Delivery": "another"}, 401, "BAD_SIGNATURE"),
    "a time that is none": ({"X-Reco-Timestamp": "yesterday"}, 401, "BAD_HEADER"),
    "a time beyond all calendars": ({"X-Reco-Timestamp": "9" * 30}, 401, "BAD_HEADER"),
    "an old time": ({"at": int(time.time()) - 400}, 401, "BAD_TIME"),
    "a time ahead": ({"at": int(time.time()) + 40_000}, 401, "BAD_TIME"),
    "a long header": ({"X-Reco-Delivery": "x" * 200}, 401, "BAD_HEADER"),
    "another media type": ({"Content-Type": "text/plain"}, 415, "MEDIA_TYPE"),
    "no JSON": ({"body": b"{"}, 400, "BAD_BODY"),
    "no object": ({"body": b"[1]"}, 400, "BAD_BODY"),
    "a NaN": ({"body": b'{"topic": NaN}'}, 400, "BAD_BODY"),
    "no UTF-8": ({"body": b'{"topic": "\xff"}'}, 400, "BAD_BODY"),
    "too deep": ({"body": b"[" * 100_000}, 400, "BAD_BODY"),
    "too large": ({"body": b" " * 1_048_577}, 413, "TOO_LARGE"),
}


@pytest.mark.parametrize(("wrong", "status", "code"), FORGED.values(), ids=FORGED)
def test_a_call_that_is_not_believed_does_nothing_and_is_noted(generic_source, client, wrong, status, code):
    reply = generic(client, generic_source, "products/upsert", TEA, **wrong)
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert refusals() == [code]
    assert not Product.objects.exists()


def test_a_body_changed_or_cut_short_does_not_fit_its_signature(generic_source, client):
    body = json.dumps({"topic": "products/upsert", "data": TEA}).encode()
    stamp = str(int(time.time()))
    signature = digest(f"{stamp}.one.".encode() + body).hex()
    headers = {"X-Reco-Delivery": "one", "X-Reco-Timestamp": stamp, "X-Reco-Signature": signature}
    for changed in (body.replace(b"Tea", b"Pie"), body[:-1], body + b" ", b""):
        assert post(client, generic_source, changed, dict(headers)).status_code == 401
    assert not Product.objects.exists()
    # and the same id is still free for the true one
    assert post(client, generic_source, body, dict(headers)).status_code == 200
    assert refusals() == ["BAD_SIGNATURE"] * 4


def test_the_control_without_the_check_a_forged_call_is_carried_out(generic_source, client, monkeypatch):
    monkeypatch.setattr("shop_reco.webhooks.services.believed", lambda envelope, secrets: True)
    assert generic(client, generic_source, "products/upsert", TEA, secret="forged secret").status_code == 200
    assert Product.objects.exists()


def test_the_control_without_the_window_an_old_call_is_carried_out(generic_source, client, monkeypatch):
    monkeypatch.setattr("shop_reco.webhooks.services.in_time", lambda kind, envelope, reco: True)
    old = int(time.time()) - 400
    assert generic(client, generic_source, "products/upsert", TEA, at=old).status_code == 200
    assert Product.objects.exists()


def test_signatures_are_compared_in_constant_time(generic_source, client, monkeypatch):
    compared = []
    real = signatures.hmac.compare_digest
    monkeypatch.setattr(signatures.hmac, "compare_digest", lambda a, b: compared.append((len(a), b)) or real(a, b))
    rotate_secret(source=generic_source, secret="a second secret, longer")
    generic_source.refresh_from_db()
    generic(client, generic_source, "products/upsert", TEA, secret="a second secret, longer")
    generic(client, generic_source, "products/upsert", TEA, secret="not a secret of its own")
    assert [length for length, _ in compared] == [32, 32, 32, 32]  # both secrets, whether the first fits or not


def test_both_secrets_sign_during_a_rotation_and_one_after_it(generic_source, client):
    new = rotate_secret(source=generic_source)
    for secret in (SECRET, new):
        assert generic(client, generic_source, "products/upsert", TEA, secret=secret).status_code == 200
    end_previous_secret(source=generic_source)
    assert generic(client, generic_source, "products/upsert", TEA, secret=SECRET).status_code == 401
    assert generic(client, generic_source, "products/upsert", TEA, secret=new).status_code == 200


def test_a_secret_is_sealed_and_opens_under_a_rotated_secret_key(generic_source, client, settings):
    generic_source.refresh_from_db()
    assert SECRET not in generic_source.secret
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another key"
    assert generic(client, generic_source, "products/upsert", TEA).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    reply = generic(client, generic_source, "products/upsert", TEA)
    assert (reply.status_code, reply.json()["code"]) == (503, "SECRET")


def test_a_disabled_source_and_one_that_is_not_known_are_refused(generic_source, client):
    set_enabled(source=generic_source, enabled=False)
    assert generic(client, generic_source, "products/upsert", TEA).json()["code"] == "DISABLED"
    change_source(source=generic_source, enabled=True)
    assert generic(client, generic_source, "products/upsert", TEA).status_code == 200
    generic_source.key = "nobody"
    assert generic(client, generic_source, "products/upsert", TEA).status_code == 404
    assert client.get("/webhooks/nobody/").status_code == 405


def test_shopify_signs_the_body_and_its_retries_keep_the_first_time(shopify_source, client):
    hours = timezone.timedelta(hours=1)
    late = (timezone.now() - 5 * hours).isoformat()
    assert shopify(client, shopify_source, "products/update", shopify_product(), at=late).status_code == 200
    older = (timezone.now() - 49 * hours).isoformat()
    assert shopify(client, shopify_source, "products/update", shopify_product(), at=older).json()["code"] == "BAD_TIME"
    ahead = (timezone.now() + hours).isoformat()
    assert shopify(client, shopify_source, "products/update", shopify_product(), at=ahead).json()["code"] == "BAD_TIME"
    forged = shopify(client, shopify_source, "products/update", shopify_product(), secret="a forged secret")
    assert forged.json()["code"] == "BAD_SIGNATURE"
    bare = {"X-Shopify-Hmac-Sha256": "%%%"}
    assert shopify(client, shopify_source, "products/update", shopify_product(), **bare).status_code == 401


def test_woocommerce_signs_the_body(woo_source, client):
    assert woocommerce(client, woo_source, "product.updated", woo_product()).status_code == 200
    forged = woocommerce(client, woo_source, "product.updated", woo_product(), secret="a forged secret")
    assert forged.json()["code"] == "BAD_SIGNATURE"


def test_woocommerce_asks_unsigned_whether_anyone_is_there(woo_source, generic_source, client):
    form = "application/x-www-form-urlencoded"
    reply = client.post(f"/webhooks/{woo_source.key}/", b"webhook_id=12", content_type=form)
    assert (reply.status_code, reply.json()) == (200, {"state": "pong"})
    for source, body in ((woo_source, b"webhook_id=12&x=1"), (generic_source, b"webhook_id=12")):
        assert client.post(f"/webhooks/{source.key}/", body, content_type=form).status_code == 401


def test_only_the_newest_refusals_are_remembered(generic_source, client, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "WEBHOOK_REFUSALS": 5}
    for n in range(12):
        senders.generic(client, generic_source, "products/upsert", TEA, secret="a forged secret", delivery=f"d{n}")
    kept = WebhookDelivery.objects.order_by("pk").values_list("delivery_id", flat=True)
    assert list(kept) == [f"d{n}" for n in range(7, 12)]
