"""What an injection gets: whatever a shop is asked to look up, in the forms that sqlmap tries.

Each text is sent to each place that a client can write to. It must be answered as a harmless text is that nothing is
called by, in no longer time, and never by a fault: a quote that ends a string, a condition that is true or false, a
sleep or a wildcard would each make a difference. A text that something is called by shows that the place is read.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from tests.faults.live_shop import LiveShop

HARMLESS = "zqx wvu"
SLOWEST_MS = 1000.0
"""Under the shortest sleep among the texts, and above what a busy machine takes."""

TEXTS = (
    # quotes, and comments that would cut off the rest
    "'", '"', "''", "`", "\\", "\\'", "')", "'))", "' --", "'#", "'/*", "*/", "');--", "ʼ", "＇ OR 1=1", "'\t--",
    # pairs, one of which is true
    "' OR '1'='1", "' AND '1'='2", "' AND '1'='1", "' OR 1=1--", "' AND 1=2--", '" OR "1"="1', '" AND "1"="2',
    "1 OR 1=1", "1 AND 1=2", "1) OR (1=1", "' OR 'a' LIKE 'a", "%' OR '1'='1' OR title LIKE '", "' XOR 1=1#",
    # what else is there
    "' UNION SELECT NULL--", "' UNION ALL SELECT NULL,NULL,NULL--", "' UNION SELECT prefix FROM reco_users_apikey--",
    "1 UNION SELECT name FROM sqlite_master", "' UNION SELECT version()--", "'||(SELECT 1)||'",
    "' AND (SELECT COUNT(*) FROM auth_user)>0--", "' AND EXTRACTVALUE(1,CONCAT(0x7e,1))--", "' ORDER BY 99--",
    "' AND CAST('a' AS int)=1--", "' GROUP BY 1 HAVING 1=1--",
    # a second statement
    "'; DROP TABLE reco_users_allowance;--", "'; UPDATE auth_user SET is_staff=1;--", "1; SELECT 1",
    # sleeps
    "'; SELECT pg_sleep(5)--", "' OR pg_sleep(5) IS NULL--", "' AND 1=(SELECT 1 FROM pg_sleep(5))--", "' AND SLEEP(5)#",
    "' WAITFOR DELAY '0:0:5'--", "' OR LIKE('ABC',UPPER(HEX(RANDOMBLOB(300000000))))--",
    "' OR (SELECT COUNT(*) FROM sqlite_master a, sqlite_master b, sqlite_master c, sqlite_master d)>0--",
    # wildcards, and other languages of patterns and places
    "%", "_", "%%", "__", "p_", "%1", "Th_ng", "Thing%", "[a-z]%", ".*", "^", "$1", "$$", "%s", "%(a)s", "{0}", "?",
    ":a",
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A place that a text goes to: the request with it, and one in which something is called so."""

    name: str
    request: Callable[[str], httpx.Request]
    known: str


def injected(shop: LiveShop, port: int) -> Iterator[dict[str, Any]]:
    """A row for each place: the texts that were answered otherwise, and the slowest answer."""
    fresh = httpx.Limits(max_keepalive_connections=0)  # a wrong key ends the connection
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, limits=fresh) as client:
        for place in _places(shop, client):
            yield _row(client, place)
        yield _by_lookups(shop, client)


def _row(client: httpx.Client, place: Place) -> dict[str, Any]:
    expected, _ = _answer(client, place, HARMLESS)
    known, _ = _answer(client, place, place.known)
    differ, slowest = list[str](), 0.0
    for text in TEXTS:
        answer, took = _answer(client, place, text)
        slowest = max(slowest, took)
        if answer != expected or answer[0] >= 500:
            differ.append(text)
    return {
        "attack": f"SQL in {place.name}", "texts": len(TEXTS), "status": expected[0], "otherwise": differ,
        "slowest_ms": round(slowest, 1), "read": known != expected,
        "held": not differ and slowest < SLOWEST_MS and known != expected,
    }  # fmt: skip


def _answer(client: httpx.Client, place: Place, text: str) -> tuple[tuple[int, str], float]:
    """Status and words of the answer, without the text itself and what changes each time; and milliseconds."""
    start = time.perf_counter()
    reply = client.send(place.request(text))
    took = 1000 * (time.perf_counter() - start)
    words = reply.text
    words = words.replace(json.dumps(repr(text[:64]))[1:-1], "TEXT")
    words = words.replace(json.dumps(text)[1:-1], "TEXT") if len(text) > 3 else words
    words = re.sub(r'"extensions": \{"cost.*?\}\}|"locations": \[.*?\]', "", words)
    return (reply.status_code, words), took


def _as_id(text: str) -> str:
    return base64.urlsafe_b64encode(f"Product:{text}".encode()).decode()


def _places(shop: LiveShop, client: httpx.Client) -> Iterator[Place]:
    headers = {"Authorization": f"Bearer {shop.key}", "X-Shopper": "h1"}

    def graphql(document: str, shape: Callable[[str], Any] = str) -> Callable[[str], httpx.Request]:
        def request(text: str) -> httpx.Request:
            body = {"query": document, "variables": {"t": shape(text)}}
            return client.build_request("POST", "/graphql/", json=body, headers=headers)

        return request

    def told(document: str) -> Any:
        answer = client.post("/graphql/", json={"query": document}, headers=headers).json()
        assert "errors" not in answer, answer
        return answer["data"]

    made = '{sku: "p3", title: "Thing 3", category: ["Shelf 3"], brand: "Made here"}'
    told(f"mutation {{ upsertProducts(products: [{made}]) {{ stored }} }}")
    shown = told('{ product(sku: "p1") { id category { slug } } }')["product"]
    cursor = told("{ recommendations(first: 2) { edges { cursor } } }")["recommendations"]["edges"][0]["cursor"]
    skus = "edges { node { sku } }"
    yield Place("a search", graphql(f"query($t: String) {{ products(search: $t) {{ {skus} }} }}"), "Thing")
    for field, known in (("brand", "Made here"), ("category", shown["category"]["slug"])):
        for name in ("products", "recommendations", "trending"):
            document = f"query($t: String) {{ {name}(first: 5, filter: {{{field}: $t}}) {{ {skus} }} }}"
            yield Place(f"the {field} of {name}", graphql(document), known)
    document = f"query($t: String) {{ products(first: 5, after: $t) {{ {skus} }} }}"
    yield Place("a cursor of products", graphql(document), shown["id"])
    yield Place("the inside of such a cursor", graphql(document, _as_id), _inside(shown["id"]))
    document = f"query($t: String) {{ recommendations(first: 2, after: $t) {{ {skus} }} }}"
    yield Place("a cursor of a list", graphql(document), cursor)
    yield Place(
        "the placement of a list",
        graphql(f"query($t: String!) {{ recommendations(placement: $t) {{ {skus} }} }}"),
        "popular",
    )
    yield Place("a sku", graphql("query($t: String) { product(sku: $t) { sku } }"), "p1")
    for name, document in (
        ("an id", "query($t: ID) { product(id: $t) { sku } }"),
        ("the id of a node", "query($t: ID!) { node(id: $t) { id } }"),
        ("the id of what is alike", f"query($t: ID!) {{ similarProducts(product: $t, first: 2) {{ {skus} }} }}"),
        ("ids of a context", f"query($t: ID!) {{ recommendations(context: {{exclude: [$t]}}) {{ {skus} }} }}"),
    ):
        yield Place(name, graphql(document), shown["id"])
        yield Place(f"the inside of {name}", graphql(document, _as_id), _inside(shown["id"]))
    document = f'query($t: ID!) {{ explain(slateId: $t, product: "{shown["id"]}") {{ score }} }}'
    yield Place("the id of a list", graphql(document), "00000000-0000-0000-0000-000000000000")
    document = 'query($t: String!) { portraitEvidence(kind: "category", key: $t) { counts { n } } }'
    yield Place("the key of a number of the portrait", graphql(document), f"Shelf {1}")
    event = {"id": "7f3e0d9c-6a52-4d3c-9f0e-2a4b6c8d0e1f", "type": "VIEW_ITEM"}
    document = "mutation($t: EventInput!) { trackEvents(events: [$t]) { accepted duplicates rejected { code } } }"
    yield Place("the sku of an event", graphql(document, lambda text: event | {"sku": text}), "p2")

    def named(text: str) -> httpx.Request:
        body = {"query": "{ me { consents { granted } } }"}
        fields = {**headers, "X-Shopper": text.encode("ascii", "replace").decode().replace("\t", " ").strip()}
        return client.build_request("POST", "/graphql/", json=body, headers=fields)

    def with_key(text: str) -> httpx.Request:
        plain = text.encode("ascii", "replace").decode().replace("\t", " ").strip()
        fields = {"Authorization": f"Bearer {plain}"}
        return client.build_request("POST", "/graphql/", json={"query": "{ me { known } }"}, headers=fields)

    yield Place("the name of a shopper", named, "h2")
    yield Place("a key", with_key, shop.key)


def _inside(value: str) -> str:
    return base64.urlsafe_b64decode(value).decode().partition(":")[2]


def _by_lookups(shop: LiveShop, client: httpx.Client) -> dict[str, Any]:
    """Lookups through relations and into secrets, which the admin's address takes from anyone on the staff."""
    shop.staff(client)
    refused = {
        "/admin/auth/user/": ("password__startswith=p", "groups__user__password__startswith=p", "logentry__id__gt=0"),
        "/admin/reco_users/apikey/": ("digest__startswith=a", "follows__digest__gt=a"),
        "/admin/reco_users/shopper/": ("user__password__startswith=p", "user__email__gt=a"),
    }  # fmt: skip
    statuses = {
        f"{path}?{lookup}": client.get(f"{path}?{lookup}").status_code
        for path, lookups in refused.items()
        for lookup in lookups
    }
    ordered = [client.get(f"{path}?o={quote(text)}").status_code for path in refused for text in TEXTS[:12]]
    fine = [client.get(path).status_code for path in refused]
    return {
        "attack": "lookups and orders in the admin's address", "statuses": statuses, "orders": sorted(set(ordered)),
        "held": set(statuses.values()) == {400} and max(ordered) < 500 and set(fine) == {200},
    }  # fmt: skip
