"""Compute a past list again, beside today's: ``manage.py replay_slate ID``."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from reco_engine.types import Recommendation
from shop_reco.products.models import Product
from shop_reco.recommendations.selectors import slate_of
from shop_reco.recommendations.serving.difference import Today, today
from shop_reco.recommendations.serving.replay import Outcome, Replayed, replay


class Command(BaseCommand):
    help = "Computes a past list again from what it rested on, prints its terms beside today's, and why they differ."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", type=UUID, help="of the list, as slateId in an answer")

    def handle(self, *args: Any, **options: Any) -> None:
        slate = slate_of(slate_id=options["id"])
        if slate is None:
            raise CommandError("there is no such list: it is too old, its shopper was erased, or it was never kept")
        again = replay(slate)
        self.stdout.write(f"{slate.placement}, {slate.rung}, {slate.served_at:%Y-%m-%d %H:%M:%S %Z}")
        self.stdout.write(f"replay: {again.outcome.value}{': ' if again.why else ''}{again.why}")
        if again.outcome is Outcome.ERASED:
            return
        now = today(slate)
        titles = dict(Product.objects.filter(pk__in=[item.product for item in again.items]).values_list("pk", "title"))
        for rank, item in enumerate(again.items, start=len(slate.earlier) + 1):
            self._item(rank, titles.get(item.product, "(gone)"), item, now)
        self._fills(again)
        self.stdout.write("changed since:")
        for line in now.changes:
            self.stdout.write(f"  {line}")

    def _item(self, rank: int, title: str, item: Any, now: Today) -> None:
        state = "" if item.product in now.offered else ", not on offer here now"
        mark = "" if item.equal else " (replayed otherwise)" if item.again else " (not replayed)"
        self.stdout.write(f"{rank}. {title}, {item.recorded['placed_by']}{state}{mark}")
        then = {reason["kind"]: 0.0 for reason in item.recorded["reasons"]}
        for reason in item.recorded["reasons"]:
            then[reason["kind"]] += reason["points"]
        today_ = _by_kind(now.items.get(item.product))
        self.stdout.write(f"   {'score':<18}{item.recorded['score']:>10.4f}{sum(today_.values()):>10.4f}")
        for kind in sorted(then.keys() | today_.keys()):
            self.stdout.write(f"   {kind.lower():<18}{then.get(kind, 0.0):>10.4f}{today_.get(kind, 0.0):>10.4f}")

    def _fills(self, again: Replayed) -> None:
        n = len(again.slate.items) - len(again.items)
        if n:
            self.stdout.write(f"and {n} newest products to fill the list, without a score")


def _by_kind(item: Recommendation | None) -> dict[str, float]:
    points: dict[str, float] = {}
    for reason in item.reasons if item else ():
        points[reason.kind.upper()] = points.get(reason.kind.upper(), 0.0) + reason.points
    return points
