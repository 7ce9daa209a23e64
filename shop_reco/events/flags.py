"""Shoppers whose events are not learnt from until staff have looked: raised by training, cleared by people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import transaction
from django.utils import timezone

from shop_reco.users.models import Shopper

from .models import ShopperFlag

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What a rule found of one shopper; ``key`` names the evidence, which is numbers for staff to judge by."""

    shopper_id: int
    rule: str
    key: str
    evidence: Mapping[str, Any]


def raise_flags(*, suspicions: Iterable[Suspicion]) -> dict[str, int]:
    """Flag shoppers, a transaction for each few hundred; returns how many flags are new, by rule.

    Nothing happens to whoever has a flag of that rule already, or had one cleared for the same evidence.
    """
    new: dict[str, int] = {}
    rest = iter(suspicions)
    while chunk := list(islice(rest, CHUNK)):
        for flag in _raised(chunk):
            new[flag.rule] = new.get(flag.rule, 0) + 1
    return new


@transaction.atomic
def _raised(chunk: Sequence[Suspicion]) -> list[ShopperFlag]:
    # The shoppers are locked, so that none of them is erased, or flagged by another run, in between.
    shoppers = Shopper.objects.select_for_update().filter(pk__in={each.shopper_id for each in chunk}).order_by("pk")
    there = {shopper.pk for shopper in shoppers}
    known, flagged = set(), set()
    for flag in ShopperFlag.objects.filter(shopper__in=there):
        known.add((flag.shopper_id, flag.rule, flag.evidence_key))
        if flag.cleared_at is None:
            flagged.add((flag.shopper_id, flag.rule))
    fresh: dict[tuple[int, str], ShopperFlag] = {}
    for each in chunk:
        whose = (each.shopper_id, each.rule)
        if each.shopper_id in there and whose not in flagged and (*whose, each.key) not in known:
            fresh.setdefault(
                whose,
                ShopperFlag(
                    shopper_id=each.shopper_id, rule=each.rule, evidence_key=each.key, evidence=dict(each.evidence)
                ),
            )
    return ShopperFlag.objects.bulk_create(fresh.values())


@transaction.atomic
def clear_flag(*, flag: ShopperFlag, by: Any = None) -> bool:
    """Let the next training learn from the shopper again; False where it was cleared before."""
    found = ShopperFlag.objects.filter(pk=flag.pk, cleared_at__isnull=True)
    return found.update(cleared_at=timezone.now(), cleared_by=by) > 0
