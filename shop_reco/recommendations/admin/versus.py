"""Two versions of a recommender side by side: what was measured of them, and the lists that each would give."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.http import Http404

from reco_engine.errors import ArtifactError
from shop_reco.products.models import Product

from ..models import ModelVersion, Placement, Recommender
from ..selectors import recent_occasions
from ..serving import Shown, Supposed, supposed_list
from .cards import figure
from .comparison import MEASURES, NAMES

PEOPLE, PLACES, DEEP, MOST = 3, 10, 40, 5
"""Shoppers, places shown of a list and looked at, and products told that rise and that fall."""
SHOWN_IN = {"popularity": "popular", "trending": "trending", "buy_again": "again"}
"""The placement in which a recommender shows most; the others do at home."""
CHOICE = 50
ORDER = [*NAMES, *MEASURES]
"""Of sections and of the measures of one."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What both gates measured; ``low`` and ``high`` of each are in percent of the chart's width."""

    section: str
    name: str
    one: str
    other: str
    bars: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A place of a list; ``moved`` is how much further up it is than in the other list, None where it is new."""

    title: str
    moved: int | None


@dataclass(frozen=True, slots=True)
class Pair:
    """What one shopper, told by a pseudonym, would see of each version."""

    who: str
    one: list[str]
    other: list[Place]


def versus(recommender: Recommender, *, one: str, other: str, with_lists: bool) -> dict[str, Any]:
    """Everything that the page shows; the versions are named by their numbers, the live one and the newest if not."""
    versions = list(ModelVersion.objects.filter(recommender=recommender).order_by("-created_at", "-pk")[:CHOICE])
    first = _chosen(versions, one) or next((each for each in versions if each.state == "live"), None)
    second = _chosen(versions, other) or next((each for each in versions if each != first), None)
    told: dict[str, Any] = {"recommender": recommender, "versions": versions, "one": first, "other": second}
    if first is None or second is None:
        return told
    told["measures"] = measures(first, second)
    gone = [each for each in (first, second) if each.pruned_at is not None]
    if with_lists and not gone:
        try:
            told |= lists(recommender.kind, first, second)
        except ArtifactError:
            gone = [first, second]
    return {**told, "gone": bool(gone), "with_lists": with_lists}


def _chosen(versions: list[ModelVersion], number: str) -> ModelVersion | None:
    if not number:
        return None
    found = next((each for each in versions if str(each.pk) == number), None)
    if found is None:
        raise Http404
    return found


def measures(one: ModelVersion, other: ModelVersion) -> list[Measure]:
    """Each measure of a section that both gates took; first what both are judged by."""
    mine, theirs = _measured(one), _measured(other)
    found = []
    for section, metric in sorted(mine.keys() & theirs.keys(), key=lambda each: [_place(name) for name in each]):
        pair = mine[section, metric], theirs[section, metric]
        most = max(max(each["high"] or 0.0, each["mean"]) for each in pair) or 1.0
        bars = tuple(
            (
                round(100 * max(each["mean"], 0.0) / most, 1),
                round(100 * max(each["low"] or each["mean"], 0.0) / most, 1),
                round(100 * max(each["high"] or each["mean"], 0.0) / most, 1),
            )
            for each in pair
        )
        name = str(MEASURES.get(metric, metric))
        found.append(Measure(str(NAMES.get(section, section)), name, figure(pair[0]), figure(pair[1]), bars))
    return found


def _place(name: str) -> int:
    return ORDER.index(name) if name in ORDER else len(ORDER)


def _measured(version: ModelVersion) -> dict[tuple[str, str], dict[str, Any]]:
    sections = version.gate.get("comparison", {}).get("sections", {})
    return {
        (section, metric): {"low": None, "high": None, **interval}
        for section, told in sections.items()
        for metric, interval in told.get("measured", {}).get("candidate", {}).items()
        if interval.get("mean") is not None
    }


def lists(kind: str, one: ModelVersion, other: ModelVersion) -> dict[str, Any]:
    """Lists of some shoppers who came lately under each version, and what moves most over all of them.

    Raises:
        ArtifactError: If the artifact of either is gone or damaged.
    """
    placement = SHOWN_IN.get(kind, "home")
    if not Placement.objects.filter(pk=placement).exists():
        return {"pairs": [], "up": [], "down": []}
    pairs, moved, titles = [], defaultdict[int, int](int), dict[int, str]()
    for shopper, _about in recent_occasions(placement=placement, limit=PEOPLE) or _strangers():
        here: dict[str, Any] = {"shopper": shopper, "placement": placement, "first": DEEP}
        before = supposed_list(**here, supposed=Supposed(version=one))
        after = supposed_list(**here, supposed=Supposed(version=other))
        pairs.append(_pair("" if shopper is None else str(shopper.public_id)[:8], before, after))
        titles |= {edge.product.pk: edge.product.title for each in (before, after) for edge in each.edges}
        was, is_ = before.ranks(), after.ranks()
        for pk in was.keys() | is_.keys():
            moved[pk] += was.get(pk, DEEP + 1) - is_.get(pk, DEEP + 1)
    ordered = sorted(moved.items(), key=lambda each: (-each[1], each[0]))
    return {
        "pairs": pairs,
        "placement": placement,
        "up": [(titles[pk], n) for pk, n in ordered[:MOST] if n > 0],
        "down": [(titles[pk], -n) for pk, n in ordered[::-1][:MOST] if n < 0],
    }


def _strangers() -> list[tuple[None, list[Product]]]:
    return [(None, [])]


def _pair(who: str, before: Shown, after: Shown) -> Pair:
    was = before.ranks()
    return Pair(
        who,
        [edge.product.title for edge in before.edges[:PLACES]],
        [
            Place(edge.product.title, was[edge.product.pk] - edge.rank if edge.product.pk in was else None)
            for edge in after.edges[:PLACES]
        ],
    )
