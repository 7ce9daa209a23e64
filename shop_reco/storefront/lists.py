"""A placement's list as a page shows it: asked for by the shop's own document, with each reason's share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.http import HttpRequest

from shop_reco.api.documents import DocumentError, context_of, run

logger = structlog.get_logger(__name__)
SHOWN = "_reco_shown"
MOST_EXCLUDED = 200
"""Products of earlier lists that a list can be told to leave out."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a page asks for.

    Attributes:
        first: Most items.
        products: Global ids of what the list is about: the product of the page, or what is in the cart.
        category: A slug that the list is narrowed to; empty: it is not.
    """

    placement: str
    first: int = 12
    products: tuple[str, ...] = ()
    category: str = ""

    def request(self, exclude: Iterable[str] = ()) -> dict[str, Any]:
        """As the schema's RecommendationRequest; the script of the page sends the same to ask again."""
        asked: dict[str, Any] = {"placement": self.placement, "first": self.first}
        context = {"products": [*self.products], "exclude": [*exclude]}
        if any(context.values()):
            asked["context"] = {name: ids for name, ids in context.items() if ids}
        if self.category:
            asked["filter"] = {"category": self.category}
        return asked


@dataclass(frozen=True)
class Page:
    """Which products the lists of a page show already, so that no two show the same."""

    shown: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, request: HttpRequest) -> Page:
        page: Page | None = getattr(request, SHOWN, None)
        if page is None:
            page = cls()
            setattr(request, SHOWN, page)
        return page


def list_for(request: HttpRequest, wanted: Wanted, *, personal: bool = False) -> dict[str, Any] | None:
    """The list, without what earlier ones of the page show; None where it failed: a page goes on without it.

    Args:
        personal: None as well where the list is not this shopper's own; what it had is left for others.
    """
    if personal and context_of(request).shopper is None:
        return None
    page = Page.of(request)
    asked = wanted.request(exclude=page.shown[-MOST_EXCLUDED:])
    try:
        (found,) = run(request, "lists", {"requests": [asked]})["lists"]
    except DocumentError as error:
        logger.warning("list_failed", placement=wanted.placement, error=str(error))
        return None
    if personal and not found["personalised"]:
        return None
    page.shown.extend(edge["node"]["id"] for edge in found["edges"])
    return as_shown(found)


def as_shown(found: dict[str, Any]) -> dict[str, Any]:
    """The same list, with the share of the score that each reason has, in per cent, and an id for each item's panel.

    A score of zero or less has no shares.
    """
    for edge in found["edges"]:
        edge["panel"] = f"why-{found['slateId']}-{edge['rank']}"
        for reason in edge["reasons"]:
            reason["share"] = round(100 * reason["points"] / edge["score"]) if edge["score"] > 0 else None
            reason["parts"] = linked(reason["text"], reason["evidence"])
    return found


def linked(text: str, evidence: Iterable[dict[str, Any]]) -> list[dict[str, str]]:
    """A sentence in parts, those that name a product of the evidence with its address."""
    parts, rest = list[dict[str, str]](), text
    for each in evidence:
        before, title, after = rest.partition(each["title"]) if each["title"] else (rest, "", "")
        if title and each["url"]:
            parts += [{"text": before, "url": ""}, {"text": title, "url": each["url"]}]
            rest = after
    return [*parts, {"text": rest, "url": ""}]
