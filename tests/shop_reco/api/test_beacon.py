"""The browsers' door takes what they may say, from this shop's pages, and answers rubbish with a code."""

from __future__ import annotations

import json
import unicodedata
import uuid

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shop_reco.events.models import Event, RejectedEvent
from shop_reco.users.models import Shopper
from tests.shop_reco.graphql import ask

URL = "/events/beacon/"
HERE = {"Origin": "http://testserver"}
ALLOW = "mutation { updateConsent(input: {personalisation: true}) { consents { granted } } }"


def send(client, events, *, url=URL, content_type="text/plain;charset=UTF-8", **headers):
    body = events if isinstance(events, str | bytes) else json.dumps(events)
    return client.generic("POST", url, body, content_type=content_type, headers={**HERE, **headers})


def view(**more):
    return {"id": str(uuid.uuid4()), "type": "VIEW_ITEM", "sku": "Tea-1", **more}


def code(reply):
    return reply.status_code, reply.json()["errors"][0]["extensions"]["code"]


@pytest.fixture
def visitor(shop, client):
    ask(client, ALLOW)
    return Shopper.objects.get(external_id=None)


def test_events_of_a_page_are_stored_once_for_the_visitor_of_the_cookie(shop, visitor, client):
    events = [view(), view(type="select_item", slateId=str(uuid.uuid4())), view(type="SEARCH", sku=None, query="tea")]
    reply = send(client, events)
    assert (reply.status_code, reply.json()) == (200, {"accepted": 3, "duplicates": 0, "rejected": []})
    assert send(client, events).json() == {"accepted": 0, "duplicates": 3, "rejected": []}
    assert Event.objects.filter(shopper=visitor).count() == 3


def test_a_good_event_beside_bad_ones_is_kept_and_each_bad_one_is_named_by_its_place(shop, visitor, client):
    bad = ["x", None, view(colour="red"), view(text=5), view(quantity="many"), view(product="zzz"), view(id="1")]
    reply = send(client, [bad[0], view(), *bad[1:]]).json()
    assert reply["accepted"] == 1
    assert [each["index"] for each in reply["rejected"]] == [0, *range(2, 8)]
    assert {each["code"] for each in reply["rejected"]} == {"BAD_FIELD"}
    assert Event.objects.filter(shopper=visitor).count() == 1


FORBIDDEN = [
    {"type": "PURCHASE"},
    {"type": "refund"},
    {"type": "order_completed"},
    {"price": 1},
    {"currency": "USD"},
    {"order": "o1"},
    {"shopper": "h1"},
]


@pytest.mark.parametrize("more", FORBIDDEN, ids=str)
def test_what_only_the_shop_knows_is_refused_and_leaves_no_row(shop, visitor, client, more):
    before = Event.objects.count()
    (rejected,) = send(client, [view(**more)]).json()["rejected"]
    document = "mutation($e: [EventInput!]!) { trackEvents(events: $e) { rejected { code } } }"
    asked = view(**more) | {"type": more.get("type", "VIEW_ITEM").upper().replace("ORDER_COMPLETED", "PURCHASE")}
    (also,) = ask(client, document, {"e": [asked]})["data"]["trackEvents"]["rejected"]
    assert rejected["code"] == also["code"] == "FORBIDDEN_FIELD"
    assert (Event.objects.count(), RejectedEvent.objects.count()) == (before, 0)


def test_a_stranger_is_told_that_consent_comes_first_and_nothing_is_kept(shop, client):
    before = Event.objects.count()
    reply = send(client, [view()])
    assert [each["code"] for each in reply.json()["rejected"]] == ["CONSENT_REQUIRED"]
    assert (Event.objects.count(), RejectedEvent.objects.count(), reply.cookies) == (before, 0, {})


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://testserver.evil.example", "https://testserver"]
)
def test_another_pages_events_are_refused(visitor, client, origin):
    assert code(send(client, [view()], Origin=origin)) == (403, "BAD_ORIGIN")


def test_a_page_that_names_no_origin_is_refused(visitor, client):
    reply = client.generic("POST", URL, json.dumps([view()]), content_type="text/plain")
    assert code(reply) == (403, "BAD_ORIGIN")


def test_trusted_origins_may_send(visitor, client, settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://shop.example", "https://*.cdn.example"]
    for origin in ("https://shop.example", "https://a.cdn.example"):
        assert send(client, [view()], Origin=origin).json()["accepted"] == 1
    for origin in ("http://shop.example", "https://cdn.example", "https://shop.example.org", "http://a.cdn.example"):
        assert code(send(client, [view()], Origin=origin)) == (403, "BAD_ORIGIN")


@pytest.mark.parametrize("header", [{"Authorization": "Bearer x.y"}, {"X-Shopper": "h0"}])
def test_servers_are_shown_their_own_door(visitor, client, header):
    assert code(send(client, [view()], **header)) == (403, "FORBIDDEN")


def test_what_is_no_batch_of_events_is_refused_by_status(visitor, client):
    assert code(client.get(URL)) == (405, "METHOD")
    assert code(send(client, [view()], content_type="application/xml")) == (415, "MEDIA_TYPE")
    assert code(send(client, "x" * 262_145)) == (413, "TOO_LARGE")
    assert code(send(client, [view()] * 501)) == (413, "BATCH_TOO_LARGE")


def test_a_body_that_announces_too_much_is_not_even_read(visitor, client, monkeypatch):
    read = []
    monkeypatch.setattr("django.http.HttpRequest.body", property(lambda request: read.append(request) or b"[]"))
    assert send(client, "[]").status_code == 200
    assert len(read) > 0  # the probe sees a body that is read
    read.clear()
    assert code(send(client, "x" * 10_000_000)) == (413, "TOO_LARGE")
    assert read == []


RUBBISH = [
    b" ", b"{}", b"null", b"1", b"[", b'"x"', b"\xff\xfe\x00", b"[NaN]", b"[" * 100_000, b"[1e999999]",
    b'{"a":' * 50_000, b"[" + b"9" * 5000 + b"]", b"\x00", "[\ud800".encode(errors="surrogatepass"),
]  # fmt: skip


@pytest.mark.parametrize("body", RUBBISH, ids=lambda body: repr(body[:12]))
def test_rubbish_is_the_clients_mistake(visitor, client, body):
    reply = send(client, body)
    assert reply.status_code in (200, 400)
    if reply.status_code == 400:
        assert code(reply) == (400, "BAD_JSON")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from(
    ["id", "type", "product", "sku", "occurredAt", "quantity", "rating", "text", "query", "channel", "slateId", "zzz"]
)


@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(events=st.lists(st.dictionaries(FIELDS, VALUES, max_size=6) | VALUES, max_size=4))
def test_no_values_break_the_door_and_every_event_is_accounted_for(visitor, client, events):
    whole = [view() | each if isinstance(each, dict) and len(each) % 2 else each for each in events]
    reply = send(client, json.dumps(whole, allow_nan=False, default=str) if _finite(whole) else json.dumps(whole))
    assert reply.status_code in (200, 400)
    if reply.status_code == 200:
        said = reply.json()
        assert said["accepted"] + said["duplicates"] + len(said["rejected"]) == len(whole)


def _finite(value):
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def test_events_that_whoever_was_here_before_left_in_the_browser_are_not_taken(visitor, client):
    mark = ask(client, "{ me { mark } }")["data"]["me"]["mark"]
    assert send(client, [view()], url=f"{URL}?owner={mark}").json()["accepted"] == 1
    assert code(send(client, [view()], url=f"{URL}?owner=0123456789abcdef")) == (409, "OTHER_SHOPPER")
    assert Event.objects.filter(shopper=visitor).count() == 1


def test_the_answer_is_kept_by_nobody(visitor, client):
    assert send(client, [view()])["Cache-Control"] == "no-store"


def test_a_shopper_erased_meanwhile_is_gone(visitor, client, monkeypatch):
    from django.db import IntegrityError

    def gone(**kwargs):
        Shopper.objects.filter(pk=visitor.pk).delete()
        raise IntegrityError

    monkeypatch.setattr("shop_reco.api.beacon.record_events", gone)
    assert code(send(client, [view()])) == (410, "GONE")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's own limit on the size of its file")
@pytest.mark.django_db(transaction=True)
def test_a_full_disk_says_when_to_come_back_and_the_same_ids_count_once_then(shop, visitor, client):
    batches = [[view(type="REVIEW", text="x" * 4000) for _ in range(20)] for _ in range(50)]
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        (pages,) = cursor.fetchone()
        cursor.execute(f"PRAGMA max_page_count = {pages + 20}")
        try:
            refused = next(batch for batch in batches if send(client, batch).status_code != 200)
            reply = send(client, refused)
        finally:
            cursor.execute("PRAGMA max_page_count = 1073741823")
    assert code(reply) == (503, "UNAVAILABLE")
    assert reply["Retry-After"] == "5"
    ids = [event["id"] for event in refused]
    assert not Event.objects.filter(pk__in=ids).exists()
    assert send(client, refused).json()["accepted"] == 20
    assert send(client, refused).json()["duplicates"] == 20


@pytest.mark.parametrize("text", ["\u202eenod llew", "naïve 日本語 👩‍👩‍👧", "e\u0301" * 100, "x" * 256])
def test_any_writing_is_kept_as_it_was_meant(visitor, client, text):
    assert send(client, [view(type="SEARCH", sku=None, query=text)]).json()["accepted"] == 1
    assert Event.objects.get(shopper=visitor).query == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize(
    ("field", "text", "why"),
    [
        ("query", "a\0b", "BAD_FIELD"),
        ("query", "a\ud800", "BAD_FIELD"),
        ("text", "a\0b", "BAD_FIELD"),
        ("text", "\udfff", "BAD_FIELD"),
        ("query", "x" * 257, "TOO_LONG"),
        ("text", "x" * 5001, "TOO_LONG"),
    ],
)
def test_writing_that_no_database_takes_or_that_is_too_long_is_named(visitor, client, field, text, why):
    event = view(type="REVIEW" if field == "text" else "SEARCH", **{field: text})
    (rejected,) = send(client, [event]).json()["rejected"]
    assert rejected["code"] == why
    assert field in rejected["message"]
    assert not Event.objects.filter(shopper=visitor).exists()
