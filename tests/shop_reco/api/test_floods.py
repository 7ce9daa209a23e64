"""A flood is refused in the view's own words, before the view has had any work with it; nobody else is."""

from __future__ import annotations

import http.client
import json
import sys
from types import ModuleType

import pytest
from django.test import Client
from django.urls import include, path

from shop_reco.api import spending
from shop_reco.users.allowances import Allowances
from shop_reco.users.services import issue_key

GATE = "shop_reco.api.floods.turn_floods_away"
ASK = {"query": "{ me { known } }"}


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(db, settings, monkeypatch):
    """An address may spend ten points, one of which comes back in ten seconds."""
    steady = Clock()
    monkeypatch.setattr(spending, "allowances", Allowances(steady, tell=lambda allowances: None))
    given = {"RATE_POINTS": 10, "RATE_REFILL": 0.1, "RATE_SHARED": 1}
    settings.SHOP_RECO = {**settings.SHOP_RECO, **given}
    return steady


@pytest.fixture
def views(monkeypatch):
    """How often the view was asked whose points a request spends."""
    asked, of = [], spending.Spender.of
    monkeypatch.setattr(spending.Spender, "of", lambda *given: asked.append(given) or of(*given))
    return asked


def post(client, content=ASK, **more):
    return client.post("/graphql/", content, content_type="application/json", **more)


def exhaust(client):
    assert [post(client).status_code for _ in range(6)] == [200] * 5 + [429]


def test_whoever_has_nothing_left_does_not_get_as_far_as_the_view(clock, client, views):
    exhaust(client)
    views.clear()
    answer = post(client)
    assert (answer.status_code, answer["Retry-After"]) == (429, "10")
    assert answer.json()["errors"][0]["extensions"] == {"code": "RATE_LIMITED"}
    assert views == []


def test_it_says_what_the_view_would_say(clock, client, settings, views):
    exhaust(client)
    views.clear()
    early = post(client)
    assert views == []
    assert GATE in settings.MIDDLEWARE
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if each != GATE]
    late = post(Client())
    assert len(views) == 1
    assert early.json() == late.json()
    told = {"Retry-After", "Content-Type", "Content-Length", "Cache-Control", "X-Content-Type-Options", "X-Request-ID"}
    assert told <= set(early.headers) <= set(late.headers)
    assert all(early[each] == late[each] for each in told - {"X-Request-ID"})


def test_to_be_turned_away_costs_nothing(clock, client):
    exhaust(client)
    clock.now = 5
    assert {post(client).status_code for _ in range(20)} == {429}
    clock.now = 20
    assert post(client).status_code == 200


def test_the_events_of_pages_are_turned_away_as_well(clock, client, views):
    exhaust(client)
    views.clear()
    headers = {"Origin": "http://testserver"}
    answer = client.post("/events/beacon/", "[]", content_type="text/plain", headers=headers)
    assert (answer.status_code, views) == (429, [])


def test_a_body_that_is_too_large_is_told_so(clock, client, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "BODY_BYTES": 50}
    exhaust(client)
    assert post(client, {"query": "x" * 100}).status_code == 413


def test_others_behind_the_address_are_let_in(clock, client, django_user_model):
    exhaust(client)
    key = issue_key(name="a server", scopes=["lists:read"])[1]
    assert post(client, headers={"Authorization": f"Bearer {key}"}).status_code == 200
    assert post(Client(REMOTE_ADDR="203.0.113.9")).status_code == 200
    django_user_model.objects.create_superuser("staff", password="of the staff")
    assert client.post("/admin/login/", {"username": "staff", "password": "of the staff"}).status_code == 302
    assert client.get("/").status_code == 200


def test_whoever_guesses_keys_spends_what_the_address_has(clock, client):
    guess = {"headers": {"Authorization": "Bearer 000000000000.a-guess-of-a-key-that-nobody-has"}}
    assert [post(client, **guess).status_code for _ in range(11)] == [403] * 10 + [429]
    assert post(client).status_code == 429


def test_without_a_limit_nobody_is_turned_away(clock, client, settings):
    exhaust(client)
    settings.SHOP_RECO = {**settings.SHOP_RECO, "RATE_POINTS": 0}
    assert post(client).status_code == 200


def test_a_project_may_have_graphql_elsewhere_and_no_beacon(clock, client, settings, views, monkeypatch):
    urls = ModuleType("urls_of_a_host")
    urls.urlpatterns = [path("shop/ask/", include("shop_reco.api.urls"))]
    monkeypatch.setitem(sys.modules, urls.__name__, urls)
    settings.ROOT_URLCONF = urls.__name__

    def ask(times):
        return [client.post("/shop/ask/", ASK, content_type="application/json").status_code for _ in range(times)]

    assert ask(5) == [200] * 5
    views.clear()
    assert ask(2) == [429] * 2
    assert views == []


def test_the_body_is_read_all_the_same(clock, client, views):
    """One that nobody reads ends the connection, and a browser tells its page of a network that failed."""
    exhaust(client)
    views.clear()
    answer = post(client)
    assert (answer.status_code, views) == (429, [])
    assert answer.wsgi_request.META["wsgi.input"].read() == b""


@pytest.mark.django_db(transaction=True)
def test_the_connection_stays(clock, live_server):
    exhaust(Client(REMOTE_ADDR="127.0.0.1"))
    connection = http.client.HTTPConnection(live_server.thread.host, live_server.thread.port, timeout=10)
    sockets = set()
    for _ in range(3):
        connection.request("POST", "/graphql/", json.dumps(ASK), {"Content-Type": "application/json"})
        reply = connection.getresponse()
        assert reply.status == 429
        assert json.loads(reply.read())["errors"]
        sockets.add(connection.sock)
    assert len(sockets) == 1
    assert None not in sockets
    connection.close()
