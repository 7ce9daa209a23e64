"""Operations made up from the schema, most of them wrong: ``python -m benchmarks.api_fuzz``, JSON out.

Ten thousand documents, about a third of them valid, seeded. None may be answered by a 500 or an unforeseen error, take
longer than the limit of an operation, or ask the database more often than its outermost fields may: else status 1.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.faults.live_shop import LiveShop

QUERIES_A_FIELD, QUERIES_ALWAYS = 30, 10
"""The most that an outermost field may ask the database, and what a request asks beside."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        found = fuzzed(options.operations, options.seed)
        print(json.dumps(found, indent=1))
        sys.exit(1 if found["faults"] else 0)
    with tempfile.TemporaryDirectory() as folder:
        shop = LiveShop(Path(folder))
        try:
            command = ["-m", "benchmarks.api_fuzz", "--child", "--operations", str(options.operations)]
            print(shop.run(*command, "--seed", str(options.seed), seconds=7200))
        finally:
            shop.end()


def fuzzed(n: int, seed: int) -> dict[str, Any]:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.faults.settings")
    django.setup()
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from shop_reco.conf import reco_settings
    from shop_reco.users.services import issue_key

    chance, made = random.Random(seed), Maker(random.Random(seed + 1))
    key = issue_key(name="fuzz", scopes=["lists:read", "events:write", "catalogue:write"])[1]
    client = Client(raise_request_exception=False)
    codes: Counter[str] = Counter()
    faults: list[dict[str, Any]] = []
    slowest, most_queries = 0.0, 0
    for _ in range(n):
        document, fields = made.document()
        headers = (
            {"Authorization": f"Bearer {key}", "X-Shopper": f"h{chance.randrange(160)}"}
            if chance.random() < 0.6
            else {}
        )
        start = time.perf_counter()
        with CaptureQueriesContext(connection) as queries:
            reply = client.post("/graphql/", {"query": document}, content_type="application/json", headers=headers)
        took = time.perf_counter() - start
        told = json.loads(reply.content)
        mine = [error["extensions"]["code"] for error in told.get("errors", ())]
        codes.update(mine or ["OK"])
        slowest, most_queries = max(slowest, took), max(most_queries, len(queries))
        bound = QUERIES_ALWAYS + QUERIES_A_FIELD * max(fields, 1)
        wrong = [
            name
            for name, is_so in {
                "status": reply.status_code >= 500,
                "unforeseen": "INTERNAL" in mine,
                "slow": took > reco_settings().QUERY_SECONDS,
                "queries": len(queries) > bound,
            }.items()
            if is_so
        ]
        if wrong and len(faults) < 20:
            faults.append(
                {"wrong": wrong, "document": document[:500], "queries": len(queries), "answer": str(told)[:300]}
            )
    return {
        "operations": n, "codes": dict(codes.most_common()), "slowest_ms": round(1000 * slowest, 1),
        "most_queries": most_queries, "faults": faults,
    }  # fmt: skip


class Maker:
    """Makes documents: fields of the schema with arguments that are often what they should be."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance

    def document(self) -> tuple[str, int]:
        """A document, and how many outermost fields it has; every fifth is torn somewhere."""
        from shop_reco.api.schema import schema

        chance = self._chance
        kind = "mutation" if chance.random() < 0.2 else "query"
        root: Any = schema._schema.type_map[kind.title()]
        fields = chance.choices(list(root.fields), k=chance.choice((1, 1, 1, 2, 3)))
        if kind == "mutation":
            fields = [name for name in fields if name not in ("eraseMe", "exportMyData")] or ["giveFeedback"]
        parts = [self._field(name, root.fields[name], 5, alias=f"f{place}") for place, name in enumerate(fields)]
        document = f"{kind} {{ {' '.join(parts)} }}"
        if chance.random() < 0.2:
            at = chance.randrange(len(document))
            document = (
                document[:at] + chance.choice(["", "{", "}", '"', "$x", "@skip", "\u0000", "🙂"]) + document[at + 1 :]
            )
        return document, len(fields)

    def _field(self, name: str, field: Any, depth: int, alias: str = "") -> str:
        from graphql import get_named_type

        given = [
            f"{argument}: {self._value(of.type, 3)}"
            for argument, of in field.args.items()
            if str(of.type).endswith("!") or self._chance.random() < 0.4
        ]
        inner = self._selection(get_named_type(field.type), depth - 1)
        return f"{alias + ': ' if alias else ''}{name}{'(' + ', '.join(given) + ')' if given else ''}{inner}"

    def _selection(self, type_: Any, depth: int) -> str:
        fields = getattr(type_, "fields", None)
        if fields is None:
            return ""
        chosen = self._chance.sample(list(fields), k=min(len(fields), self._chance.randrange(1, 5)))
        parts = [
            self._field(name, fields[name], depth) for name in chosen if depth > 0 or not _has_fields(fields[name])
        ]
        return " { " + " ".join(parts or ["__typename"]) + " }"

    def _value(self, type_: Any, depth: int) -> str:
        from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLList, GraphQLNonNull

        chance = self._chance
        if chance.random() < 0.08:
            return chance.choice(["null", "[]", "{}", "1e400", '"\\u202e"', "-1", "99999999999999999999", "TRUE", '""'])
        if isinstance(type_, GraphQLNonNull):
            return self._value(type_.of_type, depth)
        if isinstance(type_, GraphQLList):
            return "[" + ", ".join(self._value(type_.of_type, depth) for _ in range(chance.randrange(3))) + "]"
        if isinstance(type_, GraphQLEnumType):
            return str(chance.choice(list(type_.values)))
        if isinstance(type_, GraphQLInputObjectType):
            given = [
                f"{name}: {self._value(of.type, depth - 1)}"
                for name, of in type_.fields.items()
                if str(of.type).endswith("!") or (depth > 0 and chance.random() < 0.3)
            ]
            return "{" + ", ".join(given) + "}"
        return self._scalar(type_.name)

    def _scalar(self, name: str) -> str:
        chance = self._chance
        texts = [
            "p1",
            "h1",
            "home",
            "popular",
            "category",
            "%",
            "' OR 1=1 --",
            "\\u0000",
            "é" * 40,
            "Shelf 1",
            "zh-hans",
            "Sale",
            "x" * 300,
        ]
        some: dict[str, list[str]] = {
            "Int": ["1", "3", "10", "100", "0", "-5", "2147483647"],
            "Float": ["0.5", "0", "-1", "1e308", "3"],
            "Boolean": ["true", "false"],
            "ID": [f'"{each}"' for each in (_product(chance), _product(chance), "nonsense", "")],
            "UUID": [f'"{self._uuid()}"', '"no uuid"'],
            "Decimal": ['"9.99"', "3", '"-1"', '"1e999"', '"NaN"'],
            "DateTime": ['"2026-01-01T00:00:00Z"', '"yesterday"', '"9999-12-31T23:59:59Z"'],
            "JSON": ["{a: 1}", "[1, 2]", '"text"'],
        }
        return chance.choice(some.get(name, [f'"{each}"' for each in texts]))

    def _uuid(self) -> str:
        import uuid

        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))


def _has_fields(field: Any) -> bool:
    from graphql import get_named_type

    return hasattr(get_named_type(field.type), "fields")


def _product(chance: random.Random) -> str:
    from shop_reco.api.ids import global_id
    from shop_reco.products.models import Product

    found = Product.objects.filter(sku=f"p{chance.randrange(200)}").first()
    return global_id("Product", found.public_id) if found else "nonsense"


if __name__ == "__main__":
    main()
