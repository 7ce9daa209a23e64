"""What the clock tells of what is there: pairs of requests that are refused alike, and how long each takes.

Asked by turns, each on a fresh connection, which of the two comes first by chance. The medians may differ by a
twentieth of the smaller one. There is no pair of receipts: they are for anyone who has their address.
"""

from __future__ import annotations

import base64
import http.client
import json
import random
import statistics
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlencode

import httpx

from tests.faults.live_shop import LiveShop, token_in

MOST = 0.05
"""Share of the median by which two medians may differ."""
ROUNDS = 20_000
"""Of the hash of a password at the sign-in: a twentieth of Django's, under which the rest of the work shows more."""

PRODUCT = "query($p: ID!) { product(id: $p) { id title category { name } } }"
NODE = "query($p: ID!) { node(id: $p) { id } }"
EXPLAIN = "query($s: ID!, $p: ID!) { explain(slateId: $s, product: $p) { score terms { points } } }"
PAGE = "query($a: String!) { recommendations(first: 3, after: $a) { edges { rank } } }"
EXPORT = "mutation { exportMyData { url } }"
LIST = "{ recommendations(first: 3) { slateId edges { node { id } } } }"


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


class Pair(NamedTuple):
    """Two requests that must look alike from outside, the first of which names something that is there."""

    name: str
    there: Request
    nowhere: Request


def timed(shop: LiveShop, port: int, tries: int) -> Iterator[dict[str, Any]]:
    """A row for each pair: median milliseconds of both, and whether they are near enough."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        pairs = [*_pairs(shop, client), _sign_in(client)]
    for pair in pairs:
        yield _row(pair, port, tries)


def _pairs(shop: LiveShop, client: httpx.Client) -> Iterator[Pair]:
    bearer = {"Authorization": f"Bearer {shop.key}"}

    def told(document: str, shopper: str, **variables: Any) -> Any:
        body = {"query": document, "variables": variables}
        answer = client.post("/graphql/", json=body, headers={**bearer, "X-Shopper": shopper}).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def graphql(document: str, **variables: Any) -> Request:
        body = json.dumps({"query": document, "variables": variables})
        return Request("POST", "/graphql/", body, {**bearer, "X-Shopper": "h1", "Content-Type": "application/json"})

    def with_key(plain: str) -> Request:
        headers = {"Authorization": f"Bearer {plain}", "Content-Type": "application/json"}
        return Request("POST", "/graphql/", json.dumps({"query": "{ me { known } }"}), headers)

    secret = "x" * 43
    yield Pair("a key's prefix", with_key(f"{shop.key.partition('.')[0]}.{secret}"), with_key(f"{'0' * 12}.{secret}"))

    theirs = told(LIST, "h2")["recommendations"]
    slate, product = theirs["slateId"], theirs["edges"][0]["node"]["id"]
    gone = told('{ product(sku: "p7") { id } }', "h2")["product"]["id"]
    told('mutation { deleteProducts(skus: ["p7"]) { stored } }', "h2")
    unknown = _global_id("Product")
    for name, document in (("a product that was deleted", PRODUCT), ("the same as a node", NODE)):
        yield Pair(name, graphql(document, p=gone), graphql(document, p=unknown))
    time.sleep(2)  # until the row of the list is there
    other = str(uuid.uuid4())
    yield Pair("a list of someone else", graphql(EXPLAIN, s=slate, p=product), graphql(EXPLAIN, s=other, p=product))
    yield Pair("a cursor of theirs", graphql(PAGE, a=f"{slate}:1"), graphql(PAGE, a=f"{other}:1"))

    path = httpx.URL(told(EXPORT, "h2")["exportMyData"]["url"]).path
    head, token = path.rstrip("/").rsplit("/", 1)
    headers = {**bearer, "X-Shopper": "h1"}
    nobodys = f"{head}/{token[::-1]}/"
    yield Pair("an export of someone else", Request("GET", path, "", headers), Request("GET", nobodys, "", headers))


def _sign_in(client: httpx.Client) -> Pair:
    token = token_in(client.get("/admin/login/").text)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items()),
    }

    def request(username: str) -> Request:
        form = {"username": username, "password": "not this one", "csrfmiddlewaretoken": token}
        return Request("POST", "/admin/login/", urlencode(form), headers)

    return Pair("a member of the staff", request("staff"), request("staph"))


def _row(pair: Pair, port: int, tries: int) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    chance, times = random.Random(1), {True: list[float](), False: list[float]()}
    answers = {True: set[tuple[int, int]](), False: set[tuple[int, int]]()}
    for n in range(-20, tries):
        for there in chance.sample([True, False], 2):
            request = pair.there if there else pair.nowhere
            connection.connect()  # a server that refuses a body unread ends the connection
            start = time.perf_counter()
            connection.request(request.method, request.path, request.body, request.headers)
            reply = connection.getresponse()
            size = len(reply.read())
            took = 1000 * (time.perf_counter() - start)
            connection.close()
            if n >= 0:
                times[there].append(took)
                answers[there].add((reply.status, size))
    medians = {there: statistics.median(each) for there, each in times.items()}
    apart = abs(medians[True] - medians[False]) / min(medians.values())
    return {
        "attack": f"the time of {pair.name}", "tries": tries, "there_ms": round(medians[True], 3),
        "nowhere_ms": round(medians[False], 3), "apart": round(apart, 4), "answers": sorted(answers[False]),
        "held": apart < MOST and {status for status, _ in answers[True]} == {status for status, _ in answers[False]},
    }  # fmt: skip


def _global_id(kind: str) -> str:
    return base64.urlsafe_b64encode(f"{kind}:{uuid.uuid4().hex}".encode()).decode()
