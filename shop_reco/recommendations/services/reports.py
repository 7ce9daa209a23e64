"""What a run keeps of its cleaning, and how an erasure takes its examples back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db import transaction

from shop_reco.events.selectors import owners_among
from shop_reco.users.models import Shopper

from ..errors import RunCancelledError
from ..models import (
    CleaningExample,
    TrainingRun,
)

OF_PRODUCTS = "impossible_product_prices"
"""The rule of cleaning whose examples are products by their skus, and nobody's events."""


@transaction.atomic
def keep_cleaning_report(*, run: TrainingRun, report: Mapping[str, Any]) -> None:
    """Keep with a run what its events were cleaned of, whatever becomes of the run later.

    An event that was erased or folded since it was read is no example any more: nobody could be told whose it was.

    Raises:
        RunCancelledError: If the run was cancelled or belongs to another worker by now.
    """
    rules = list(report.get("rules", ()))
    ids = {name for rule in rules if rule["name"] != OF_PRODUCTS for name in rule["examples"]}
    # Their shoppers are locked, so that none of them is erased before the report says whose its examples are.
    owners = owners_among(ids=ids)
    list(Shopper.objects.select_for_update(no_key=True).filter(pk__in=set(owners.values())).order_by("pk"))
    owners = owners_among(ids=[str(pk) for pk in owners])
    gone = ids - {str(pk) for pk in owners}
    told = {**report, "rules": _without(rules, gone)} if rules else dict(report)
    mine = TrainingRun.objects.filter(pk=run.pk, owner=run.owner, state=TrainingRun.State.RUNNING)
    if not mine.update(cleaning=told):
        raise RunCancelledError
    CleaningExample.objects.filter(run=run).delete()  # of an attempt before this one
    CleaningExample.objects.bulk_create(
        CleaningExample(run=run, event=event, shopper_id=owner) for event, owner in owners.items()
    )


@transaction.atomic
def forget_examples(*, shopper_ids: Collection[int]) -> int:
    """Take the ids of these shoppers' events out of the reports of cleaning; returns how many runs named one.

    Reads those runs alone; the rows that led to them are the caller's to delete.
    """
    mine = CleaningExample.objects.filter(shopper__in=shopper_ids)
    named: dict[int, set[str]] = {}
    for run_id, event in mine.values_list("run", "event"):
        named.setdefault(run_id, set()).add(str(event))
    runs = TrainingRun.objects.select_for_update().filter(pk__in=mine.values("run")).only("cleaning").order_by("pk")
    for run in runs.iterator(chunk_size=200):
        run.cleaning["rules"] = _without(run.cleaning["rules"], named[run.pk])
        run.save(update_fields=["cleaning"])
    return len(named)


def _without(rules: Iterable[Mapping[str, Any]], gone: Collection[str]) -> list[dict[str, Any]]:
    """Rules of a report without some events among their examples."""
    return [{**rule, "examples": [name for name in rule["examples"] if name not in gone]} for rule in rules]
