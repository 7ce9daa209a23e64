"""Who asks on with nothing left is refused in the view's own words, before Django has had any work; nobody else is."""

from __future__ import annotations

import json
import sys
from io import BytesIO
from types import ModuleType, SimpleNamespace

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_started
from django.db import close_old_connections
from django.urls import include, path

from shop_reco import wsgi
from shop_reco.api import spending
from shop_reco.api.floods import turn_floods_away
from shop_reco.users.allowances import Allowances
from shop_reco.users.services import issue_key

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
    settings.ALLOWED_HOSTS = ["testserver"]
    return steady


@pytest.fixture
def server(clock, rf):
    """Sends requests to the project as a WSGI server does; ``asked`` tells how many of them Django was given."""
    request_started.disconnect(close_old_connections)  # or the test's transaction would end with the first of them
    yield Server(rf)
    request_started.connect(close_old_connections)


class Server:
    def __init__(self, rf):
        self.rf, self.asked = rf, 0
        django = WSGIHandler()

        def project(environ, start_response):
            self.asked += 1
            return django(environ, start_response)

        self.application = turn_floods_away(project)

    def post(self, content=ASK, *, to="/graphql/", content_type="application/json", **more):
        return self.send(self.rf.post(to, content, content_type=content_type, **more).environ)

    def send(self, environ):
        body = BytesIO(environ["wsgi.input"].read())
        environ["wsgi.input"] = body
        heads = []
        told = b"".join(self.application(environ, lambda status, headers, *more: heads.append((status, dict(headers)))))
        ((status, headers),) = heads
        return SimpleNamespace(status=int(status[:3]), headers=headers, body=told, unread=body.read())

    def exhaust(self):
        assert [self.post().status for _ in range(6)] == [200] * 5 + [429]
        self.asked = 0


def test_whoever_has_nothing_left_does_not_get_as_far_as_django(server):
    server.exhaust()
    answer = server.post()
    assert (answer.status, answer.headers["Retry-After"], server.asked) == (429, "10", 0)
    assert json.loads(answer.body)["errors"][0]["extensions"] == {"code": "RATE_LIMITED"}


def test_it_says_what_the_view_would_say(server, clock):
    server.exhaust()
    early = server.post()
    server.application = WSGIHandler()
    late = server.post()
    assert early.body == late.body
    told = {"Retry-After", "Content-Type", "Content-Length", "Cache-Control", "X-Content-Type-Options"}
    assert told | {"X-Request-ID"} == set(early.headers)
    assert {each: early.headers[each] for each in told} == {each: late.headers[each] for each in told}


def test_to_be_turned_away_costs_nothing(server, clock):
    server.exhaust()
    clock.now = 5
    assert {server.post().status for _ in range(20)} == {429}
    clock.now = 20
    assert server.post().status == 200


def test_the_events_of_pages_are_turned_away_as_well(server):
    server.exhaust()
    answer = server.post("[]", to="/events/beacon/", content_type="text/plain", headers={"Origin": "http://testserver"})
    assert (answer.status, server.asked) == (429, 0)


def test_the_body_is_read_all_the_same(server):
    """One that nobody reads ends the connection, and a browser tells its page of a network that failed."""
    server.exhaust()
    answer = server.post()
    assert (answer.status, answer.unread, server.asked) == (429, b"", 0)


@pytest.mark.parametrize("length", ["1000000000", "-1", "many"])
def test_no_body_is_read_whose_length_is_none_or_too_much(server, rf, length):
    server.exhaust()
    environ = rf.post("/graphql/", ASK, content_type="application/json").environ
    answer = server.send(environ | {"CONTENT_LENGTH": length})
    assert (answer.status, server.asked) == (413, 1)


def test_others_behind_the_address_are_let_in(server, django_user_model):
    server.exhaust()
    key = issue_key(name="a server", scopes=["lists:read"])[1]
    assert server.post(headers={"Authorization": f"Bearer {key}"}).status == 200
    assert server.post(REMOTE_ADDR="203.0.113.9").status == 200
    assert (
        server.post({}, to="/admin/login/", content_type="application/x-www-form-urlencoded").status == 403
    )  # no token
    assert server.send(server.rf.get("/health/").environ).status == 200
    assert server.post(to="/no/such/page/").status == 404


def test_whoever_guesses_keys_spends_what_the_address_has(server):
    guess = {"headers": {"Authorization": "Bearer 000000000000.a-guess-of-a-key-that-nobody-has"}}
    assert [server.post(**guess).status for _ in range(11)] == [403] * 10 + [429]
    assert server.post().status == 429


def test_without_a_limit_nobody_is_turned_away(server, settings):
    server.exhaust()
    settings.SHOP_RECO = {**settings.SHOP_RECO, "RATE_POINTS": 0}
    assert server.post().status == 200


def test_a_project_may_have_graphql_elsewhere_and_no_beacon(server, settings, monkeypatch):
    urls = ModuleType("urls_of_a_host")
    urls.urlpatterns = [path("shop/ask/", include("shop_reco.api.urls"))]
    monkeypatch.setitem(sys.modules, urls.__name__, urls)
    settings.ROOT_URLCONF = urls.__name__
    assert [server.post(to="/shop/ask/").status for _ in range(6)] == [200] * 5 + [429]
    server.asked = 0
    assert (server.post(to="/shop/ask/").status, server.asked) == (429, 0)


def test_the_project_that_stands_alone_has_it():
    assert wsgi.application.__qualname__.startswith(turn_floods_away.__name__)
