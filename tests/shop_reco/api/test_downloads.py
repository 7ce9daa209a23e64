"""Exports over HTTP: for the shopper alone, once; receipts for whoever has their name."""

from __future__ import annotations

import json
import uuid
import zipfile
from io import BytesIO

import pytest
from django.utils import timezone

from shop_reco.privacy.models import Export
from shop_reco.privacy.verify import problems_of
from shop_reco.users.services import issue_key
from tests.shop_reco.graphql import ask

EXPORT = "mutation { exportMyData { url ready json errors { code } } }"
ERASE = "mutation { eraseMe(confirm: true) { receipt receiptUrl errors { code } } }"
CONSENT = "mutation { updateConsent(input: {personalisation: true}) { consents { granted } } }"


@pytest.fixture
def server(db):
    plain = issue_key(name="server", scopes=["privacy:admin", "events:write"])[1]
    return lambda name: {"Authorization": f"Bearer {plain}", "X-Shopper": name}


def test_a_visitor_fetches_their_data_once(shop, client):
    ask(client, CONSENT)
    made = ask(client, EXPORT)["data"]["exportMyData"]
    assert (made["ready"], made["errors"]) == (True, [])
    assert len(json.loads(made["json"])["consent"]) == 1
    assert client.head(made["url"]).status_code == 200
    reply = client.get(made["url"])
    archive = zipfile.ZipFile(BytesIO(b"".join(reply)))
    assert {"data.json", "index.html", "csv/consent.csv"} <= set(archive.namelist())
    assert reply["Cache-Control"] == "no-store"
    assert reply["Content-Disposition"] == 'attachment; filename="my-data.zip"'
    assert client.get(made["url"]).status_code == 404


def headers_of(answer):
    """All but the id that each request has of its own."""
    return tuple(sorted((name, value) for name, value in answer.headers.items() if name != "X-Request-ID"))


def test_a_link_of_somebody_else_or_a_guess_or_an_old_one_is_the_same_404(shop, client, server):
    url = ask(client, EXPORT, **server("h0"))["data"]["exportMyData"]["url"]
    guess = url.rsplit("/", 2)[0] + "/" + "x" * 32 + "/"
    answers = [
        client.get(url),
        client.get(url, headers=server("h1")),
        client.get(guess, headers=server("h0")),
        client.get(url, headers={"Authorization": "Bearer wrong.key", "X-Shopper": "h0"}),
        client.get(url, headers={"X-Shopper": "h0"}),
    ]
    weak = issue_key(name="weak", scopes=["events:write"])[1]
    answers.append(client.get(url, headers={"Authorization": f"Bearer {weak}", "X-Shopper": "h0"}))
    assert client.head(url, headers=server("h0")).status_code == 200  # none of them used it up
    Export.objects.update(expires_at=timezone.now())
    answers.append(client.get(url, headers=server("h0")))
    told = {(each.status_code, each.content, headers_of(each)) for each in answers}
    assert told == {(404, answers[0].content, headers_of(answers[0]))}


def test_a_link_that_is_not_ready_tells_how_far_it_is(shop, client, server, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "EXPORT_NOW_ROWS": 1}
    made = ask(client, EXPORT, **server("h0"))["data"]["exportMyData"]
    assert (made["ready"], made["json"]) == (False, None)
    for method in (client.head, client.get):
        reply = method(made["url"], headers=server("h0"))
        assert (reply.status_code, reply["X-Progress"]) == (202, "0.00")
    assert Export.objects.get().used_at is None


def test_a_stranger_has_nothing_to_export(db, client):
    made = ask(client, EXPORT)["data"]["exportMyData"]
    assert (made["url"], made["json"]) == (None, None)
    assert [each["code"] for each in made["errors"]] == ["CONSENT_REQUIRED"]


def test_erasing_empties_the_cart_of_this_browser_and_gives_a_receipt_that_can_be_checked(shop, client):
    ask(client, CONSENT)
    client.post("/cart/", {"action": "add", "product": str(shop.products["Tea-1"].public_id)})
    assert client.session["reco_cart"]
    erased = ask(client, ERASE)["data"]["eraseMe"]
    assert "reco_cart" not in client.session
    content = client.get(erased["receiptUrl"]).content
    key = client.get("/graphql/receipt-key/").content.decode()
    assert problems_of(content, key=key) == []
    assert json.loads(content)["receipt"]["document"]["receipt"] == erased["receipt"]
    page = client.get(f"/portrait/?receipt={erased['receipt']}").content.decode()
    assert f'href="/graphql/receipts/{erased["receipt"]}/"' in page


def test_a_receipt_that_does_not_exist_is_not_found(shop, client):
    assert client.get(f"/graphql/receipts/{uuid.uuid4()}/").status_code == 404
    assert client.get("/portrait/?receipt=%22%3E%3Cscript%3E").status_code == 200
