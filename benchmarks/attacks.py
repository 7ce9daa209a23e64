"""Attacks on the GraphQL address and what each got: ``python -m benchmarks.attacks``, JSON out, status 1 on a breach.

Sent over HTTP to a web process as in production: no DEBUG, limits on. Each attack says what must be answered, and is
sent once more in a form that is allowed, so that a refusal of everything would show.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import httpx

from tests.faults.live_shop import LiveShop, free_port, token_in

from .attack_ids import stolen
from .attack_sql import injected
from .attack_timing import ROUNDS, timed
from .machine import device, tell

LIST = "{ recommendations(first: 2) { edges { node { id title } } } }"
FINE = "{ me { known } }"
FRESH = httpx.Limits(max_keepalive_connections=0)
"""A server that refuses a body unread ends the connection."""
KEYS = "/admin/reco_users/apikey/"


@dataclass(frozen=True)
class Attack:
    """A request, what must come back, and what marks a breach wherever it stands in the answer."""

    name: str
    body: Any
    statuses: tuple[int, ...] = (200,)
    code: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    method: str = "POST"
    content_type: str = "application/json"


def documents() -> Iterator[tuple[str, str, str]]:
    """Name, document, code."""
    yield "nine fields deep", "{ " + "me { " * 9 + "known" + " }" * 9 + " }", "DEPTH_LIMIT"
    inside = " ".join(f"fragment f{n} on Query {{ ...f{n + 1} }}" for n in range(8))
    deep = "{ ...f0 } " + inside + " fragment f8 on Query { " + "me { " * 9 + "known" + " }" * 9 + " }"
    yield "the same by fragments", deep, "DEPTH_LIMIT"
    yield "sixteen aliases", "{ " + " ".join(f"a{n}: me {{ known }}" for n in range(16)) + " }", "ALIAS_LIMIT"
    logins = " ".join(f"a{n}: eraseMe(confirm: true) {{ receipt }}" for n in range(20))
    yield "twenty mutations by aliases", f"mutation {{ {logins} }}", "ALIAS_LIMIT"
    yield "eleven outermost fields", "{ " + "categories { name } " * 11 + "}", "ROOT_LIMIT"
    yield "eleven directives", "{ me { known " + "@include(if: true) " * 11 + "} }", "DIRECTIVE_LIMIT"
    yield "a thousand directives", "{ me { known " + "@a " * 1000 + "} }", "DIRECTIVE_LIMIT"
    yield "a thousand copies of one field", "{ me { " + "known " * 1000 + "} }", "REPEAT_LIMIT"
    yield "sixteen kilobytes", "{ me { known } } #" + "x" * 16_000, "DOCUMENT_TOO_LARGE"
    circle = "{ me { ...a } } fragment a on Shopper { ...b } fragment b on Shopper { ...a }"
    yield "fragments in a circle", circle, "BAD_DOCUMENT"
    doubled = " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(25))
    yield "fragments that double", "{ ...f0 } " + doubled + " fragment f25 on Query { a: me { known } }", "ALIAS_LIMIT"
    yield "an unused fragment", FINE + " fragment a on Shopper { known }", "BAD_DOCUMENT"
    many = " ".join(f"query q{n} {{ me {{ known }} }}" for n in range(50))
    yield "fifty operations", many, "OPERATION_LIMIT"
    yield "introspection", "{ __schema { types { name fields { name } } } }", "INTROSPECTION_OFF"
    yield "introspection of one type", '{ __type(name: "Mutation") { fields { name } } }', "INTROSPECTION_OFF"
    huge = "{ recommendations(first: 100) { edges { reasons { evidence { category { name } } } } } }"
    yield "a hundred items with evidence", huge, "COST_LIMIT"
    for first in ("-1", "0", "101", "2147483647"):
        yield f"a page of {first}", f"{{ products(first: {first}) {{ edges {{ cursor }} }} }}", "BAD_PAGE"
    yield "a page of null", "{ products(first: null) { edges { cursor } } }", "BAD_DOCUMENT"
    yield "a misspelt field", "{ me { knwon } }", "BAD_DOCUMENT"
    yield (
        "a staff mutation",
        "mutation { setRecommenderEnabled(kind: POPULARITY, enabled: false) { errors { code } } }",
        ("FORBIDDEN"),
    )
    yield "the catalogue without a key", 'mutation { deleteProducts(skus: ["p1"]) { stored } }', "FORBIDDEN"
    long = "x" * 257
    yield "a search of 257 characters", f'{{ products(search: "{long}") {{ edges {{ cursor }} }} }}', "BAD_SEARCH"
    many = ", ".join(f'"t{n}"' for n in range(51))
    yield "fifty-one tags", f"{{ products(filter: {{tags: [{many}]}}) {{ edges {{ cursor }} }} }}", "BAD_VALUE"
    yield (
        "a brand of 129 characters left out",
        f'{{ trending(filter: {{not: {{brands: ["{"x" * 129}"]}}}}) {{ rung }} }}',
        "BAD_VALUE",
    )
    yield "a language of no people", '{ products(locale: "../de") { edges { cursor } } }', "BAD_VALUE"
    yield "NUL in a filter", '{ products(filter: {brand: "a\\u0000b"}) { edges { cursor } } }', "BAD_VALUE"


def attacks() -> Iterator[Attack]:
    for name, document, code in documents():
        yield Attack(name, {"query": document}, (200, 400, 413), code)
    yield Attack("an array of ten", [{"query": FINE}] * 10, (400,), "BAD_JSON")
    yield Attack("a query by GET", None, (405,), "METHOD", method="GET")
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"):
        yield Attack(f"a POST of {kind.partition(';')[0]}", {"query": FINE}, (415,), "MEDIA_TYPE", content_type=kind)
    other = (("Origin", "https://evil.example"),)
    yield Attack("from another origin", {"query": FINE}, (403,), "BAD_ORIGIN", other)
    yield Attack("a megabyte", {"query": FINE, "variables": {"a": ["x"] * 300_000}}, (413,), "TOO_LARGE")
    yield Attack("a number that is none", '{"query": "{ me { known } }", "variables": {"a": NaN}}', (400,), "BAD_JSON")
    yield Attack("JSON a hundred thousand deep", "[" * 100_000, (400,), "BAD_JSON")
    yield Attack("a wrong key", {"query": FINE}, (403,), "FORBIDDEN", (("Authorization", "Bearer nothing.at-all"),))
    yield Attack("a shopper named by a browser", {"query": LIST}, (403,), "FORBIDDEN", (("X-Shopper", "h1"),))
    yield Attack("a forged cookie", {"query": "{ me { id known } }"}, (200,), None, (("Cookie", "reco_visitor=a:b:c"),))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=2000, help="of each of two requests that must take as long")
    parser.add_argument("--database", default="", metavar="URL", help="a PostgreSQL server, in place of SQLite")
    options = parser.parse_args()
    found = list[dict[str, Any]]()
    with tempfile.TemporaryDirectory() as folder:
        shop = LiveShop(
            Path(folder), server=options.database, DJANGO_SETTINGS_MODULE="tests.faults.guarded_settings",
            FAULTS_DEBUG="0", FAULTS_HASH_ROUNDS=str(ROUNDS),
        )  # fmt: skip
        try:
            port = free_port()
            shop.serve(port)
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, limits=FRESH) as client:
                for attack in attacks():
                    found.append(struck(client, attack))
                    tell(f"  {found[-1]}")
            found.append(revoked(port, shop))
            tell(f"  {found[-1]}")
            for row in chain(stolen(shop, port), injected(shop, port), timed(shop, port, options.tries)):
                found.append(row)
                tell(f"  {row}")
            found.append(flooded(port, shop))
        finally:
            shop.end()
    print(
        json.dumps(
            {"device": device(), "breaches": sum(not each["held"] for each in found), "attacks": found}, indent=1
        )
    )
    if not all(each["held"] for each in found):
        sys.exit(1)


def struck(client: httpx.Client, attack: Attack) -> dict[str, Any]:
    content = attack.body if isinstance(attack.body, str) else json.dumps(attack.body)
    headers = {"Content-Type": attack.content_type, **dict(attack.headers)}
    start = time.perf_counter()
    reply = client.request(
        attack.method, "/graphql/", content=content if attack.body is not None else None, headers=headers
    )
    took = 1000 * (time.perf_counter() - start)
    codes = [error["extensions"]["code"] for error in _json(reply).get("errors", ())]
    told = not any(word in reply.text for word in ("Traceback", 'File "', "Did you mean"))
    fine = client.post("/graphql/", json={"query": FINE})
    held = reply.status_code in attack.statuses and told and fine.status_code == 200
    held = held and (attack.code in codes if attack.code else not codes)
    return {
        "attack": attack.name, "status": reply.status_code, "codes": codes, "ms": round(took, 1), "held": held,
    }  # fmt: skip


def revoked(port: int, shop: LiveShop) -> dict[str, Any]:
    """A key that staff rotate and revoke through one process while another answers it: both are taken, then none."""
    other = free_port()
    shop.serve(other)
    with (
        httpx.Client(base_url=f"http://127.0.0.1:{other}", timeout=20, follow_redirects=True) as staff,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, limits=FRESH) as client,
    ):

        def post(path: str, **form: str) -> str:
            token = token_in(staff.get(KEYS).text)
            return staff.post(KEYS + path, data={**form, "csrfmiddlewaretoken": token}).text

        def page_of(plain: str) -> str:
            return str(shop.rows(f"select id from reco_users_apikey where prefix = '{plain.partition('.')[0]}'")[0][0])

        def status(plain: str) -> int:
            headers = {"Authorization": f"Bearer {plain}"}
            return client.post("/graphql/", json={"query": FINE}, headers=headers).status_code

        staff.follow_redirects = False
        shop.staff(staff)
        staff.follow_redirects = True
        old = _shown(post("add/", name="attacked", scopes="lists:read"))
        new = _shown(post(f"{page_of(old)}/rotate/"))
        taken, seconds = [status(old), status(new)], []
        for plain in (old, new):
            post("", action="revoke", _selected_action=page_of(plain), confirmed="1")
            began = time.perf_counter()
            while status(plain) != 403 and time.perf_counter() - began < 5:
                pass
            seconds.append(round(time.perf_counter() - began, 3))
        ended = [status(old), status(new)]
    return {
        "attack": "keys that were rotated, and revoked elsewhere", "taken": taken, "ended": ended,
        "refused_after_s": seconds, "held": taken == [200, 200] and ended == [403, 403] and max(seconds) <= 1,
    }  # fmt: skip


def _shown(page: str) -> str:
    found = re.search(r"shown this once: ([\w.-]+)", page)
    assert found, page[:2000]
    return found[1]


def flooded(port: int, shop: LiveShop) -> dict[str, Any]:
    """One address asks for all that it may and more; the guard is on in a process of its own."""
    other = free_port()
    shop.environment |= {"FAULTS_RATE_POINTS": "50", "FAULTS_RATE_REFILL": "1"}
    shop.serve(other)
    with httpx.Client(base_url=f"http://127.0.0.1:{other}", timeout=20) as client:
        codes = [client.post("/graphql/", json={"query": FINE}).status_code for _ in range(900)]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        free = {client.post("/graphql/", json={"query": FINE}).status_code for _ in range(100)}
    return {
        "attack": "nine hundred requests at once", "answered": codes.count(200), "refused": codes.count(429),
        "without_the_guard": sorted(free), "held": codes.count(429) > 0 and free == {200},
    }  # fmt: skip


def _json(reply: httpx.Response) -> dict[str, Any]:
    try:
        found = reply.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


if __name__ == "__main__":
    main()
