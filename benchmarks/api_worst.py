"""The dearest operations that a browser may send, and what it costs to refuse one: ``python -m benchmarks.api_worst``.

On the demo's shop, set up once in ``var/bench-slice``, for a household with a history. Each query field is asked as
often and for as much as the limits let through, and with every other one; then documents made up at random for
``--seconds``. Processor milliseconds of one operation, JSON out; the aims are at the end of the report.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

from .machine import device, tell

FOLDER = Path("var/bench-slice")
FIRST = (100, 50, 20, 10, 4)
NODE = "{ id title brand url category { name path } }"
LIST = f"{{ edges {{ rank score feedback node {NODE} reasons {{ text points evidence {NODE} }} }} }}"
BARE = "{ edges { rank } }"
AIMS = {"accepted_ms": 100, "accepted_mb": 50, "refused_ms": 10}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="of documents made up at random")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="of a demo shop that was set up")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measured(options.seconds), indent=1))
        return
    if not (options.folder / "api-key").exists():
        set_up(options.folder)
    environment = {**os.environ, "DEMO_DIR": str(options.folder.resolve()), "DJANGO_SETTINGS_MODULE": SETTINGS}
    command = [sys.executable, "-m", "benchmarks.api_worst", "--child", "--seconds", str(options.seconds)]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    print(done.stdout)


SETTINGS = "shop_reco.settings.demo"


def set_up(folder: Path) -> None:
    from .serving_journey import wait_until_ready

    command = [sys.executable, "manage.py", "demo", "--port", "8765"]
    environment = {**os.environ, "DEMO_DIR": str(folder.resolve())}
    shop = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        wait_until_ready(shop)
    finally:
        shop.terminate()
        shop.wait(20)


class Asker:
    """One household's browser, in this process: what an operation took is what the process took."""

    def __init__(self) -> None:
        import django

        django.setup()
        from django.conf import settings
        from django.core.management import call_command
        from django.test import Client

        from shop_reco.users.selectors import some_external_ids

        settings.DEBUG = False  # else each statement is kept
        settings.SHOP_RECO = {**settings.SHOP_RECO, "RATE_POINTS": 0}
        call_command("migrate", verbosity=0)
        self.client = Client()
        self.client.post("/shop-as/", {"household": some_external_ids(limit=1)[0]})

    def __call__(self, document: str) -> tuple[float, str, Any]:
        """Processor milliseconds, the code of the first error or nothing, and the answer."""
        body = json.dumps({"query": document})
        began = time.process_time()
        reply = self.client.post("/graphql/", body, content_type="application/json")
        took = 1000 * (time.process_time() - began)
        answer = reply.json()
        code = answer["errors"][0]["extensions"]["code"] if "errors" in answer else ""
        return took, code, answer

    def best(self, document: str, times: int = 3) -> float:
        return min(self(document)[0] for _ in range(times))


def measured(seconds: float) -> dict[str, Any]:
    ask = Asker()
    fields = dict(_fields(ask))
    ask("{ " + fields["home"](10) + " }")
    dearest: list[tuple[float, str]] = []
    for document in _combined(ask, fields):
        dearest.append((round(ask.best(document), 1), document))
    tell(f"  {len(dearest)} documents as large as they may be")
    dearest.sort(reverse=True)
    before = _mb()
    ask(dearest[0][1])
    grown = _mb() - before
    at_random, n, refusals = _random(ask, seconds)
    dearest = sorted([*dearest, *at_random], reverse=True)
    refused = {name: round(ask.best(document, 5), 2) for name, document in _refused().items()}
    figures = {
        "accepted_ms": dearest[0][0], "accepted_mb": round(grown, 1), "refused_ms": max([*refused.values(), *refusals])
    }  # fmt: skip
    return {
        "device": device(),
        "dearest": [{"ms": ms, "document": document[:300]} for ms, document in dearest[:5]],
        "made_up": n,
        "refused": refused,
        **figures,
        "aims": {f"{name} <= {most}": figures[name] <= most for name, most in AIMS.items()},
    }


def _fields(ask: Asker) -> Iterator[tuple[str, Callable[[int], str]]]:
    """What may be asked, by the length of its page."""
    found = ask("{ recommendations(first: 12) { slateId edges { node { id } } } }")[2]["data"]["recommendations"]
    slate, product = found["slateId"], found["edges"][0]["node"]["id"]
    yield "home", lambda n: f"recommendations(first: {n}) {LIST}"
    yield "home, bare", lambda n: f"recommendations(first: {n}, tuning: {{diversity: 1.0}}) {BARE}"
    yield "similar", lambda n: f'similarProducts(product: "{product}", first: {n}) {BARE}'
    yield "together", lambda n: f'boughtTogether(products: ["{product}"], first: {n}) {BARE}'
    yield "again", lambda n: f"buyAgain(first: {n}) {BARE}"
    yield "trending", lambda n: f'trending(first: {n}, filter: {{priceMin: "1", tags: ["x"]}}) {BARE}'
    yield "explained", lambda n: f'explain(slateId: "{slate}", product: "{product}") {{ terms {{ points }} gone }}'
    yield "without", lambda n: f'explain(slateId: "{slate}", product: "{product}") {{ without {{ id }} }}'
    yield "search", lambda n: f'products(search: "a b c d e f g h", first: {n}) {{ edges {{ node {NODE} }} }}'
    yield "no hit", lambda n: f'products(search: "zz yy", first: {n}) {{ edges {{ node {NODE} }} }}'
    yield "tags", lambda n: f'products(filter: {{tags: ["none"]}}, first: {n}) {{ edges {{ node {NODE} }} }}'
    yield "portrait", lambda n: "portrait { interests { key weight } months { amount } priceBands { typical } }"
    yield "behind", lambda n: f'portraitEvidence(kind: "type", key: "purchase", first: {n}) {{ events {{ quantity }} }}'
    yield "history", lambda n: f"history(first: {n}) {{ edges {{ node {{ product {NODE} }} }} }}"
    yield "shelves", lambda n: "categories { name path }"


def _combined(ask: Asker, fields: dict[str, Callable[[int], str]]) -> Iterator[str]:
    """Each field as often as it may be, then pairs of fields."""
    for names in [(name,) for name in fields] + list(combinations(fields, 2)):
        document = next((each for each in _sizes(fields, names) if ask(each)[1] == ""), None)
        if document is not None:
            yield document


def _sizes(fields: dict[str, Callable[[int], str]], names: tuple[str, ...]) -> Iterator[str]:
    for times in (10, 8, 6, 5, 4, 3, 2, 1):
        for n in FIRST:
            if times * len(names) <= 10:
                parts = [f"f{k}x{m}: {fields[name](n)}" for m in range(times) for k, name in enumerate(names)]
                yield "{ " + " ".join(parts) + " }"


def _random(ask: Asker, seconds: float) -> tuple[list[tuple[float, str]], int, list[float]]:
    """The dearest of documents made up from the schema, how many there were, and what refusals took."""
    from .api_fuzz import Maker

    made, until, n = Maker(random.Random(1)), time.monotonic() + seconds, 0
    dear, refusals = list[tuple[float, str]](), list[float]()
    while time.monotonic() < until:
        n += 1
        document, _ = made.document()
        if document.startswith("mutation"):
            continue
        took, code, _answer = ask(document)
        if code in ("COST_LIMIT", "DEPTH_LIMIT", "ALIAS_LIMIT", "ROOT_LIMIT", "TOKEN_LIMIT"):
            refusals.append(round(ask.best(document), 2))
        elif not code and took > AIMS["accepted_ms"] / 2:
            dear.append((round(ask.best(document), 1), document))
    return sorted(dear, reverse=True)[:5], n, sorted(refusals)[-1:]


def _refused() -> dict[str, str]:
    deep = "{ " + "me { " * 200 + "known" + " }" * 201
    wide = "{ " + " ".join(f"a{n}: me {{ known }}" for n in range(400)) + " }"
    doubled = " ".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(25))
    return {
        "deep": deep,
        "wide": wide,
        "fragments that double": "{ ...f0 } " + doubled + " fragment f25 on Query { me { known } }",
        "as long as a body may be": "{ me { known } } #" + "x" * 250_000,
        "too dear": "{ " + " ".join(f"a{n}: recommendations(first: 100) {LIST}" for n in range(5)) + " }",
    }


def _mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
