"""What one shopper gets by the ids of another, by keys that may less, by forged purchases and by scripts.

Each attempt at something of somebody else's is made beside one at something that is nowhere: both must be answered
alike, and what was aimed at must be as it was.
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx

from tests.faults.live_shop import LiveShop

CONSENT = "mutation { updateConsent(input: {personalisation: true}) { consents { granted } } }"
LIST = "{ recommendations(first: 3) { slateId edges { cursor node { id } } } }"
HISTORY = "query($a: String!) { history(first: 2, after: $a) { edges { cursor } } }"
EXPLAIN = "query($a: ID!, $p: ID!) { explain(slateId: $a, product: $p) { score } }"
PAGE = "query($a: String!) { recommendations(first: 2, after: $a) { edges { rank } } }"
NODE = "query($a: ID!) { node(id: $a) { id } }"
UNLINK = "mutation($a: ID!) { undoLink(link: $a) { links { id } errors { code } } }"
WITHDRAW = "mutation($p: ID!) { withdrawFeedback(input: {product: $p, kind: LIKE}) { ok } }"
LIKE = "mutation($p: ID!) { giveFeedback(input: {product: $p, kind: LIKE}) { ok } }"
REVIEW = "mutation($a: ID!) { reviewFeedback(feedback: [$a], verdict: ACCEPTED) { reviewed } }"
TRACK = "mutation($e: [EventInput!]!) { trackEvents(events: $e) { accepted rejected { code } } }"
SCRIPT = "<script>alert(document.domain)</script>"


OWN = (EXPLAIN, PAGE, HISTORY)
"""What answers whoever the id belongs to."""


class Two:
    """A browser of one shopper, and a server that speaks for another."""

    def __init__(self, shop: LiveShop, port: int) -> None:
        self.shop = shop
        base = f"http://127.0.0.1:{port}"
        limits = httpx.Limits(max_keepalive_connections=0)
        self.browser = httpx.Client(base_url=base, timeout=20, limits=limits)
        self.server = httpx.Client(
            base_url=base, timeout=20, limits=limits, headers={"Authorization": f"Bearer {shop.key}"}
        )
        answer = self.mine(CONSENT)
        secret = answer.headers["set-cookie"].partition(";")[0]
        self.browser.headers["Cookie"] = secret  # a jar would keep a secure cookie back from http

    def mine(self, document: str, **values: Any) -> httpx.Response:
        return self.browser.post("/graphql/", json={"query": document, "variables": values})

    def theirs(self, document: str, **values: Any) -> Any:
        body = {"query": document, "variables": values}
        answer = self.server.post("/graphql/", json=body, headers={"X-Shopper": "h2"}).json()
        assert "errors" not in answer, answer
        return answer["data"]


def stolen(shop: LiveShop, port: int) -> Iterator[dict[str, Any]]:
    two = Two(shop, port)
    listed = two.theirs(LIST)["recommendations"]
    product, slate = listed["edges"][0]["node"]["id"], listed["slateId"]
    two.theirs(LIKE, p=product)
    event = two.theirs("{ history(first: 1) { edges { cursor } } }")["history"]["edges"][0]["cursor"]
    time.sleep(2)  # until the row of the list is there
    ((person,),) = shop.rows("select public_id from reco_users_shopper where external_id = 'h2'")
    ((like,),) = shop.rows("select max(id) from reco_recommendations_feedback")
    theirs = uuid.UUID(str(person))
    tried = [
        ("the reasons of a list", EXPLAIN, slate, str(uuid.uuid4())),
        ("the next page of a list", PAGE, listed["edges"][0]["cursor"], f"{uuid.uuid4()}:1"),
        ("a history by its cursor", HISTORY, event, named("Event", uuid.uuid4())),
        ("a shopper as a node", NODE, named("Shopper", theirs), named("Shopper", uuid.uuid4())),
        ("a portrait as a node", NODE, named("Portrait", theirs), named("Portrait", uuid.uuid4())),
        ("an export as a node", NODE, named("Export", theirs), named("Export", uuid.uuid4())),
        ("a link of visits", UNLINK, named("VisitorLink", theirs), named("VisitorLink", uuid.uuid4())),
        ("a review of feedback", REVIEW, numbered(like), numbered(10**6)),
    ]
    for name, document, there, nowhere in tried:
        answers = [two.mine(document, a=each, p=product).text.replace(each, "ID") for each in (there, nowhere)]
        codes = [error["extensions"]["code"] for error in json.loads(answers[0]).get("errors", ())]
        held = without_cost(*answers)
        if document in OWN:  # whoever it belongs to must get it, or the ids were wrong
            held = held and any(two.theirs(document, a=there, p=product).values())
        yield {"attack": f"{name} of someone else", "codes": codes, "held": held}
    ok = two.mine(WITHDRAW, p=product).json()["data"]["withdrawFeedback"]["ok"]
    kept = shop.rows(f"select count(*) from reco_recommendations_feedback where id = {int(like)}") == [(1,)]
    yield {"attack": "feedback of someone else taken back", "answered_ok": ok, "theirs_kept": kept, "held": kept}
    yield from _claimed(two, product)
    yield from _with_less(two, shop)
    yield from _scripted(two)


def _claimed(two: Two, product: str) -> Iterator[dict[str, Any]]:
    """What a browser may not say of its shopper."""
    claims = {
        "a purchase from a browser": {"type": "PURCHASE"},
        "a refund from a browser": {"type": "REFUND"},
        "a price from a browser": {"type": "VIEW_ITEM", "price": "0.01"},
        "an event for someone else": {"type": "VIEW_ITEM", "shopper": "h2"},
    }
    for name, claim in claims.items():
        event = {"id": str(uuid.uuid4()), "product": product, **claim}
        told = two.mine(TRACK, e=[event]).json()["data"]["trackEvents"]
        codes = [each["code"] for each in told["rejected"]]
        held = told["accepted"] == 0 and codes in (["FORBIDDEN_FIELD"], ["FORBIDDEN_TYPE"])
        yield {"attack": name, "codes": codes, "held": held}


def _with_less(two: Two, shop: LiveShop) -> Iterator[dict[str, Any]]:
    """Keys beyond their scope and in places where keys do not belong."""
    make = "from shop_reco.users.services import issue_key; print(issue_key(name='reader', scopes=['lists:read'])[1])"
    reader = shop.run("-c", f"import django; django.setup(); {make}").split()[-1]
    headers = {"Authorization": f"Bearer {reader}", "X-Shopper": "h2"}
    for name, document in (
        ("a reader's key that writes", 'mutation { deleteProducts(skus: ["p1"]) { stored } }'),
        ("a reader's key that erases", "mutation { eraseMe(confirm: true) { receipt } }"),
        ("a reader's key that exports", "mutation { exportMyData { url } }"),
    ):
        answer = two.server.post("/graphql/", json={"query": document}, headers=headers).json()
        codes = [error["extensions"]["code"] for error in answer["errors"]]
        yield {"attack": name, "codes": codes, "held": codes == ["FORBIDDEN"]}
    body = {"query": "{ me { id known } }"}
    for where in ("key", "api_key", "token"):
        answer = two.browser.post("/graphql/", params={where: shop.key}, json=body, headers={"Cookie": ""})
        known = answer.json()["data"]["me"]["known"]
        yield {"attack": f"a key in the address, as {where}", "known": known, "held": known is False}


def _scripted(two: Two) -> Iterator[dict[str, Any]]:
    """A catalogue and a search that carry scripts; the browser tests look for handlers that fire."""
    rows = [{"sku": "evil", "title": SCRIPT, "description": SCRIPT, "brand": SCRIPT, "category": [SCRIPT]}]
    stored = two.theirs("mutation($p: [ProductInput!]!) { upsertProducts(products: $p) { stored } }", p=rows)
    found = two.theirs('{ product(sku: "evil") { url category { slug } } }')["product"]
    places = {
        "the page of a product": found["url"],
        "a category": f"/category/{found['category']['slug']}/",
        "a search": f"/search/?q={SCRIPT}",
        "a page that is not there": f"/{SCRIPT}/",
    }
    for name, place in places.items():
        page = two.browser.get(place)
        told = SCRIPT.replace("<", "&lt;").replace(">", "&gt;") in page.text or page.status_code == 404
        held = SCRIPT not in page.text and told and stored["upsertProducts"]["stored"] == 1
        yield {"attack": f"a script in {name}", "status": page.status_code, "held": held}


def without_cost(one: str, other: str) -> bool:
    """Whether two answers are the same, but for what is left to spend."""
    parts = [json.loads(each) for each in (one, other)]
    for part in parts:
        part.pop("extensions", None)
    return parts[0] == parts[1]


def named(kind: str, public_id: uuid.UUID) -> str:
    return base64.urlsafe_b64encode(f"{kind}:{public_id.hex}".encode()).decode()


def numbered(number: int) -> str:
    return base64.urlsafe_b64encode(f"Feedback:{number}".encode()).decode()
