"""Run in a process of its own with the shop's settings: whether each list rests on exactly what came before it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import django

django.setup()

from django.db.models import Q  # noqa: E402

from shop_reco.events.engine import live_history  # noqa: E402
from shop_reco.recommendations.models import Slate  # noqa: E402
from shop_reco.recommendations.serving.recording import digest_of  # noqa: E402
from shop_reco.users.models import Shopper  # noqa: E402


def main(path: Path) -> None:
    asked = json.loads(path.read_text())
    people = dict(Shopper.objects.filter(external_id__in=asked["events"]).values_list("external_id", "pk"))
    told = {"differs": 0, "not_recorded": 0, "equal": 0}
    for slate_id, shopper, before in asked["lists"]:
        slate = Slate.objects.filter(pk=slate_id).first()
        told[verdict(slate, people[shopper], asked["events"][shopper][before:])] += 1
    print(json.dumps(told))


def verdict(slate: Slate | None, shopper: int, later: list[str]) -> str:
    """The digest of the history without what was acknowledged ``later``, against the one that the list kept."""
    if slate is None:
        return "not_recorded"
    basis: dict[str, Any] = slate.basis
    history = live_history(shopper_ids=[shopper], at=slate.scored_at, arrived=~Q(pk__in=later))
    return "equal" if digest_of(history) == basis.get("digest") else "differs"


main(Path(sys.argv[1]))
