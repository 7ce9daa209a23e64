"""Run in a process of its own with the shop's settings: trains, and asks the database how it reads for one list."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from shop_reco.recommendations.models import ModelVersion, TrainingRun  # noqa: E402
from shop_reco.recommendations.services import request_training  # noqa: E402
from shop_reco.recommendations.serving import recommend_for  # noqa: E402
from shop_reco.recommendations.training import work_off  # noqa: E402
from shop_reco.users.models import Shopper  # noqa: E402

MANY = 20_000
"""Rows from which on a table should be read by an index."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", default="", help="kinds, comma separated")
    options = parser.parse_args()
    training = {}
    # Each size begins anew: what little a tenth of the log knew is no measure for the gate.
    ModelVersion.objects.filter(state=ModelVersion.State.LIVE).update(state=ModelVersion.State.RETIRED)
    for kind in filter(None, options.train.split(",")):
        run = request_training(kind=kind)
        work_off()
        run.refresh_from_db()
        training[kind] = run.resources if run.state == TrainingRun.State.DONE else {"failed": run.why}
    print(json.dumps({"training": training, "plans": list(long_reads())}))


def long_reads() -> Iterator[dict[str, Any]]:
    """Statements of one list, once the models are taken up, that read a long table from end to end."""
    shopper = Shopper.objects.get(external_id="u7")
    recommend_for(shopper=shopper, first=20)
    with CaptureQueriesContext(connection) as captured:
        recommend_for(shopper=shopper, first=20)
    for query in captured.captured_queries:
        if query["sql"].lstrip().upper().startswith("SELECT"):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query['sql']}")
                (plan,) = cursor.fetchone()
            plan = json.loads(plan) if isinstance(plan, str) else plan
            for node in _nodes(plan[0]["Plan"]):
                if node["Node Type"] == "Seq Scan" and _rows_of(node["Relation Name"]) >= MANY:
                    yield {"table": node["Relation Name"], "ms": plan[0]["Execution Time"], "sql": query["sql"][:300]}


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from _nodes(each)


def _rows_of(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [table])
        return int(cursor.fetchone()[0])


if __name__ == "__main__":
    main()
