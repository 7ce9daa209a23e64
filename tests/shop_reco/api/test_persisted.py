"""Documents that the shop knows are asked for by their hash; where it wants, no others are answered."""

from __future__ import annotations

import hashlib

import pytest
from django.contrib.auth.models import User

from shop_reco.users.services import issue_key

KNOWN = "query Me { me { known } }\n"
HASH = hashlib.sha256(KNOWN.encode()).hexdigest()


@pytest.fixture
def folder(db, settings, tmp_path):
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "me.graphql").write_text(KNOWN)
    settings.SHOP_RECO = {**settings.SHOP_RECO, "PERSISTED_ROOT": tmp_path}


@pytest.fixture
def only(folder, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "PERSISTED_ONLY": True}


def told(client, body, **headers):
    reply = client.post("/graphql/", body, content_type="application/json", headers=headers).json()
    return reply["errors"][0]["extensions"]["code"] if "errors" in reply else reply["data"]


@pytest.mark.parametrize(
    "body",
    [
        {"documentId": f"sha256:{HASH}"},
        {"documentId": HASH.upper()},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": HASH}}},
        {"documentId": HASH, "operationName": "Me"},
    ],
)
def test_a_document_is_named_by_its_hash(folder, client, body):
    assert told(client, body) == {"me": {"known": False}}


def test_a_hash_that_nothing_has_is_told_so_that_the_client_sends_the_document(folder, client):
    assert told(client, {"documentId": "0" * 64}) == "NOT_PERSISTED"
    full = {"query": "{ me { known } }", "extensions": {"persistedQuery": {"sha256Hash": "0" * 64}}}
    assert told(client, full) == {"me": {"known": False}}


@pytest.mark.parametrize("body", [{"documentId": 3}, {"documentId": ["x"]}, {}, {"extensions": {"persistedQuery": {}}}])
def test_what_names_nothing_is_no_request(folder, client, body):
    assert told(client, body) == "BAD_JSON"


def test_where_the_shop_wants_it_browsers_ask_its_own_documents_alone(only, client):
    assert told(client, {"query": "{ me { id } }"}) == "NOT_PERSISTED"
    assert told(client, {"query": KNOWN}) == told(client, {"documentId": HASH}) == {"me": {"known": False}}


def test_servers_and_staff_may_ask_anything(only, client):
    key = issue_key(name="server", scopes=["lists:read"])[1]
    assert told(client, {"query": "{ me { id } }"}, Authorization=f"Bearer {key}") == {"me": {"id": None}}
    client.force_login(User.objects.create_user("merchandiser", is_staff=True))
    assert told(client, {"query": "{ me { id } }"}) == {"me": {"id": None}}


def test_without_a_folder_nothing_has_a_name(db, client):
    assert told(client, {"documentId": HASH}) == "NOT_PERSISTED"
