"""A server's key speaks for the shopper that it names; a browser names nobody: its session or its cookie does."""

from __future__ import annotations

import datetime as dt
import math

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core import signing
from django.test import Client
from django.utils import timezone

from shop_reco.api.identity import SALT
from shop_reco.events.models import Event
from shop_reco.users.models import Shopper, ShopperLink, VisitorToken
from shop_reco.users.selectors import consents, linked_ids
from shop_reco.users.services import issue_key
from tests.shop_reco.graphql import LIST, ask

COOKIE = "reco_visitor"
ALLOW = "mutation($i: ConsentInput!) { updateConsent(input: $i) { consents { purpose granted } errors { code } } }"
ME = "{ me { id known mark links { id linkedAt } consents { purpose granted source version } } }"


def test_graphql_answers_a_servers_question_for_its_shopper(trained, client):
    _, plain = issue_key(name="server", scopes=["lists:read", "events:write"])
    reply = ask(client, LIST, {"n": 10}, Authorization=f"Bearer {plain}", X_Shopper="h0")
    edges = reply["data"]["recommendations"]["edges"]
    assert len(edges) == 10
    for edge in edges:
        assert math.fsum(r["points"] for r in edge["reasons"]) == pytest.approx(edge["score"], rel=1e-6)


def test_a_browser_that_names_a_shopper_is_refused(trained, client):
    assert ask(client, LIST, {"n": 1}, X_Shopper="h0")["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def allow(client, **decisions):
    return ask(client, ALLOW, {"i": decisions or {"personalisation": True}})["data"]["updateConsent"]


def me(client):
    return ask(client, ME)["data"]["me"]


def visitor_of(client):
    """The one visitor there is, made by this client's consent."""
    allow(client)
    return Shopper.objects.get(external_id=None, user=None)


def with_cookie(value):
    client = Client()
    client.cookies[COOKIE] = value
    return client


def test_the_cookie_says_nothing_of_the_shopper_and_scripts_cannot_read_it(db, client):
    visitor = visitor_of(client)
    cookie = client.cookies[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Lax", True)
    assert visitor.public_id.hex not in cookie.value
    assert visitor.public_id.hex not in signing.loads(cookie.value, salt=SALT)


def test_a_guessed_forged_or_expired_cookie_names_nobody(db, client):
    visitor = visitor_of(client)
    value = client.cookies[COOKIE].value
    assert me(with_cookie(value))["known"]  # the probe finds whoever is there
    secret = signing.loads(value, salt=SALT)
    wrong = [
        secret,
        signing.dumps("0" * 32, salt=SALT),
        signing.dumps(visitor.public_id.hex, salt=SALT),
        signing.dumps(visitor.pk, salt=SALT),
        signing.dumps([secret], salt=SALT),
        signing.dumps(secret, salt="other"),
        signing.dumps(secret, salt=SALT, key="stolen"),
        value[:-1] + ("A" if value[-1] != "A" else "B"),
        "",
        "x" * 4000,
    ]
    assert [me(with_cookie(each))["known"] for each in wrong] == [False] * len(wrong)
    VisitorToken.objects.update(issued_at=timezone.now() - dt.timedelta(days=366))
    assert not me(with_cookie(value))["known"]


def test_an_old_cookie_is_replaced_and_ends(db, client, settings):
    visitor_of(client)
    first = client.cookies[COOKIE].value
    me(client)
    assert client.cookies[COOKIE].value == first
    VisitorToken.objects.update(issued_at=timezone.now() - dt.timedelta(days=8))
    mine = me(client)
    second = client.cookies[COOKIE].value
    assert second != first
    settings.SHOP_RECO = {**settings.SHOP_RECO, "VISITOR_GRACE": 0.0}
    assert me(client) == mine
    assert me(with_cookie(first))["known"] is False
    assert me(with_cookie(second)) == mine


@pytest.fixture
def users(db):
    return [User.objects.create_user(name, password="secret", is_staff=True) for name in ("ann", "bob")]


def sign_in(client, name):
    assert client.post("/admin/login/", {"username": name, "password": "secret"}).status_code == 302


def sign_out(client):
    assert client.post("/admin/logout/").status_code in (200, 302)


def seen(client, product):
    document = "mutation($e: [EventInput!]!) { trackEvents(events: $e) { accepted rejected { code } } }"
    event = {"id": str(product.public_id), "type": "VIEW_ITEM", "sku": product.sku}
    return ask(client, document, {"e": [event]})["data"]["trackEvents"]


def account(name):
    return Shopper.objects.get(user__username=name)


def test_a_consenting_visitor_who_signs_in_brings_their_history_along(trained, client, users):
    visitor = visitor_of(client)
    assert seen(client, trained.products["Soap-1"])["accepted"] == 1
    sign_in(client, "ann")
    assert linked_ids(shopper=account("ann")) == [account("ann").pk, visitor.pk]
    assert Event.objects.get(type="view_item").shopper == visitor
    assert consents(shopper=account("ann"))["personalisation"]
    served = ask(client, LIST, {"n": 10})["data"]["recommendations"]
    assert served["rung"] == "PERSONAL"


def test_a_second_device_joins_as_well(trained, client, users):
    phone = Client()
    for device in (client, phone):
        allow(device)
    visitors = set(Shopper.objects.filter(external_id=None, user=None).values_list("pk", flat=True))
    for device in (client, phone):
        sign_in(device, "ann")
    assert set(linked_ids(shopper=account("ann"))) == visitors | {account("ann").pk}
    assert me(client)["id"] == me(phone)["id"]


def test_whoever_uses_a_shared_device_next_inherits_nothing(trained, client, users):
    visitor = visitor_of(client)
    seen(client, trained.products["Soap-1"])
    before = client.cookies[COOKIE].value
    sign_in(client, "ann")
    sign_out(client)
    for device in (client, with_cookie(before)):  # this device, and a copy of the cookie made before
        assert me(device) == me(Client())
        assert ask(device, LIST, {"n": 5})["data"]["recommendations"]["rung"] == "POPULAR"
        assert seen(device, trained.products["Soap-2"])["rejected"] == [{"code": "CONSENT_REQUIRED"}]
    sign_in(client, "bob")
    assert not ShopperLink.objects.filter(account__user__username="bob").exists()
    allow(client)
    assert linked_ids(shopper=account("bob")) == [account("bob").pk]
    assert visitor.pk in linked_ids(shopper=account("ann"))


def test_who_is_signed_in_and_consents_is_an_account_and_leaves_no_cookie_behind(db, client, users):
    sign_in(client, "ann")
    assert me(client)["known"] is False
    allow(client)
    assert me(client)["known"]
    assert COOKIE not in client.cookies
    sign_out(client)
    assert me(client) == me(Client())


def test_a_dead_cookie_is_taken_from_a_browser_that_signed_in(trained, client, users):
    visitor_of(client)
    sign_in(client, "ann")
    me(client)
    assert client.cookies[COOKIE].value == ""


def test_a_visitor_who_allows_no_personal_lists_is_not_joined_and_stays_who_they_are(db, client, users):
    allow(client, analytics=True)
    mine = me(client)
    sign_in(client, "ann")
    assert not ShopperLink.objects.exists()
    assert me(client)["known"] is False  # the account decided nothing yet, and is not the visitor
    sign_out(client)
    assert me(client) == mine


def test_a_shopper_undoes_a_link_and_nobody_elses(trained, client, users):
    visitor = visitor_of(client)
    sign_in(client, "ann")
    (link,) = me(client)["links"]
    undo = "mutation($l: ID!) { undoLink(link: $l) { links { id } errors { code } } }"
    other = Client()
    sign_in(other, "bob")
    allow(other)
    refused = {"links": [], "errors": [{"code": "NOT_FOUND"}]}
    assert ask(other, undo, {"l": link["id"]})["data"]["undoLink"] == refused
    assert ShopperLink.objects.get().undone_at is None
    assert ask(client, undo, {"l": link["id"]})["data"]["undoLink"] == {"links": [], "errors": []}
    assert linked_ids(shopper=account("ann")) == [account("ann").pk]
    assert Shopper.objects.filter(pk=visitor.pk).exists()
    assert ask(client, undo, {"l": link["id"]})["data"]["undoLink"] == refused


def test_the_session_has_a_new_key_after_signing_in_and_the_old_one_is_dead(trained, client, users):
    client.post("/cart/", {"action": "add", "product": str(trained.products["Tea-1"].public_id)})
    planted = client.cookies["sessionid"].value
    assert Session.objects.filter(pk=planted).exists()
    sign_in(client, "ann")
    allow(client)
    assert client.cookies["sessionid"].value != planted
    assert not Session.objects.filter(pk=planted).exists()
    attacker = Client()
    attacker.cookies["sessionid"] = planted
    assert me(attacker)["known"] is False
    assert me(client)["known"]


def test_a_cookie_planted_on_a_victim_reads_nothing_of_theirs(trained, client, users):
    visitor_of(client)  # the attacker's own visitor
    planted = client.cookies[COOKIE].value
    victim = with_cookie(planted)
    sign_in(victim, "ann")
    assert me(victim)["links"]  # the victim sees it, and can undo it
    assert me(with_cookie(planted)) == me(Client())


def test_a_mark_is_empty_until_something_may_be_kept_and_is_each_shoppers_own(db, client):
    assert me(client)["mark"] == ""
    allow(client)
    mine, other = me(client), Client()
    allow(other)
    assert len(mine["mark"]) == 16
    assert mine["mark"] != me(other)["mark"]
    assert mine["mark"] not in str(mine["id"])
    allow(client, personalisation=False)
    assert me(client)["mark"] == ""
