"""What a rule would do to real lists, before it is saved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext, gettext_lazy

from shop_reco.products.models import Product
from shop_reco.users.models import Shopper

from ..models import Placement, Rule
from ..selectors import recent_occasions
from ..serving import ServedEdge, Supposed, conflicts_of, supposed_list
from .explorer import Row, rows_of

PEOPLE, PLACES = 4, 10
EVERYWHERE = ("home", "popular", "search")
"""Placements that show what a rule for all of them does."""

CONFLICTS = {
    "rank": gettext_lazy("Both pin a product to the same rank; the newer rule wins."),
    "twice": gettext_lazy("Both pin this product; it stands at the higher place alone."),
    "hidden": gettext_lazy("One hides what the other wants seen; it is hidden."),
    "against": gettext_lazy("One raises what the other buries; their points are added."),
    "adds": gettext_lazy("Both give points to the same products; they are added."),
}


@dataclass(frozen=True)
class Effect:
    """One list before and after.

    Attributes:
        who: The pseudonym of whoever it was served to.
        gone: Places of before that are not there after.
    """

    placement: Placement
    who: str
    rows: list[Row]
    gone: list[ServedEdge]

    @property
    def changed(self) -> int:
        return sum(row.moved != 0 for row in self.rows) + len(self.gone)


def effects_of(rule: Rule, *, spots: dict[str, Placement]) -> list[Effect]:
    """On the lists of a few shoppers who came lately, and on a stranger's.

    A rule that is edited takes the place of what it was; one that is not active takes effect nowhere.
    """
    keys = [rule.placement_id] if rule.placement_id else [key for key in EVERYWHERE if key in spots]
    supposed = Supposed(
        rule=rule if rule.active else None, lifted=frozenset() if rule.pk is None else frozenset({rule.pk})
    )
    return [
        _effect(spots[key], shopper, about, supposed)
        for key in keys
        for shopper, about in _occasions(key, PEOPLE if len(keys) == 1 else 1)
    ]


def _occasions(placement: str, n: int) -> Iterator[tuple[Shopper | None, Sequence[Product]]]:
    found = recent_occasions(placement=placement, limit=n)
    yield from found
    if not any(about for _shopper, about in found):
        yield None, ()


def _effect(spot: Placement, shopper: Shopper | None, about: Sequence[Product], supposed: Supposed) -> Effect:
    here: dict[str, Any] = {"shopper": shopper, "placement": spot.key, "first": PLACES, "history": about or None}
    before, after = supposed_list(**here), supposed_list(**here, supposed=supposed)
    who = gettext("A stranger") if shopper is None else str(shopper.public_id)[:8]
    ranks = after.ranks()
    gone = [edge for edge in before.edges if edge.product.pk not in ranks]
    return Effect(spot, who, rows_of(after, before), gone)


def conflicts(rule: Rule) -> list[tuple[str, Rule, int]]:
    """Sentences about other rules, with how many products are concerned."""
    return [(str(CONFLICTS[each.kind]), each.rule, each.n_products) for each in conflicts_of(rule)]
