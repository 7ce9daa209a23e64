"""A list as it would be now, if this or that were otherwise: for staff, and recorded nowhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reco_engine.data.interactions import History
from shop_reco.conf import reco_settings
from shop_reco.products.models import Product
from shop_reco.products.selectors import final_rows
from shop_reco.users.models import Shopper

from ..models import ModelVersion, Placement, Rule
from .asking import Request, asked, on_offer
from .disputes import by_product, with_untold
from .known import Known
from .lists import checked, edges_of
from .memory import memory
from .rules import Ruled, in_force, targets
from .served import ServedEdge
from .shelf import Mask
from .wishes import without

EVERY = 100
"""Terms told of an item, at most."""
PASSED_OVER = 20
"""Items that would be in the list but for something, told at most."""


@dataclass(frozen=True, kw_only=True)
class Supposed:
    """What is otherwise.

    Attributes:
        off: Recommenders that take no part.
        without: Primary keys of products of which the shopper did nothing.
        rule: One that is in force as well, saved or not.
        lifted: Primary keys of rules that are not.
        version: One that serves in place of the live one of its kind.
    """

    off: frozenset[str] = frozenset()
    without: frozenset[int] = frozenset()
    rule: Rule | None = None
    lifted: frozenset[int] = frozenset()
    version: ModelVersion | None = None


AS_IT_IS = Supposed()


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A product that would be in the list by its score alone.

    Attributes:
        why: A word for programs: "hidden", "bought", "refused", "blocked", "rule", "shown" (on a page before) or
            "variety" (it made room for something less alike, or on trial).
        rule: The rule that hides it.
    """

    product: Product
    score: float
    why: str
    rule: Rule | None = None


@dataclass(frozen=True)
class Shown:
    """A list with every term of its scores, what is not in it and why, and the history that it follows from.

    Attributes:
        history: Products of the history, the latest first, each once.
        rules: Those in force.
        ruled: Of them those that raise, bury or pin a product of the list, by its primary key.
    """

    edges: list[ServedEdge]
    passed_over: list[PassedOver]
    history: list[Product] = field(default_factory=list)
    personal: bool = False
    control: bool = False
    rules: tuple[Rule, ...] = ()
    ruled: dict[int, list[Rule]] = field(default_factory=dict)

    def ranks(self) -> dict[int, int]:
        return {edge.product.pk: edge.rank for edge in self.edges}


def supposed_list(
    *,
    shopper: Shopper | None,
    placement: str,
    first: int,
    history: Sequence[Product] | None = None,
    supposed: Supposed = AS_IT_IS,
) -> Shown:
    """The list of a placement for a shopper, or for whoever did ``history``, the latest last.

    Of a placement that is about products, ``history`` is what it is about.

    Raises:
        BadPageError, UnknownPlacementError: As for a list that is served.
        ArtifactError: If the artifact of a version that is supposed to serve is gone.
    """
    about = [product.parent_id or product.pk for product in history or ()]
    request = asked(known=Known(shopper), placement=placement, first=first, products=about)
    if history is not None and request.strategy == Placement.Strategy.PERSONAL:
        request.history = History(list(about), [request.at] * len(about))
    known = list(dict.fromkeys(reversed(request.history.items)))
    rules = _apply(request, supposed)
    found = checked(request)
    edges = edges_of(request, found)
    passed_over = list(_passed_over(request, edges, rules))
    rows = final_rows(ids=known[:EVERY]) if known else {}  # type: ignore[arg-type]
    return Shown(
        edges=edges,
        passed_over=passed_over,
        history=[rows[pk] for pk in known[:EVERY] if pk in rows],
        personal=request.personal or history is not None,
        control=request.control,
        rules=rules,
        ruled=_ruled(request, edges, rules),
    )


def _ruled(request: Request, edges: Sequence[ServedEdge], rules: Sequence[Rule]) -> dict[int, list[Rule]]:
    """Which rules are about a place of the list; a query for each category that one names."""
    shelf = request.view.shelf
    listed = np.array([edge.product.pk for edge in edges], dtype=np.int64)
    known = np.isin(listed, shelf.ids)
    places = np.searchsorted(shelf.ids, listed[known])
    found: dict[int, list[Rule]] = defaultdict(list)
    for rule in rules:
        if rule.action in (Rule.Action.BOOST, Rule.Action.PIN):
            for pk in listed[known][targets(rule, shelf)[places]].tolist():
                found[pk].append(rule)
    return dict(found)


def _apply(request: Request, supposed: Supposed) -> tuple[Rule, ...]:
    """Have the request be as is supposed; the rules in force then."""
    spot = request.spot = copy(request.spot)
    spot.switched_off = [*spot.switched_off, *supposed.off]
    spot.reasons, spot.exploration = EVERY, 0.0
    request.history = without(request.history, supposed.without)
    if supposed.version is not None:
        request.known.view = memory.view_with(supposed.version)
        request.allowed = on_offer(request)
    rules = in_force(request.view.models.rules, placement=spot.key, now=request.now)
    rules = tuple(rule for rule in rules if rule.pk not in supposed.lifted)
    if supposed.rule is not None and supposed.rule.placement_id in (None, spot.key):
        rules = (*rules, numbered(supposed.rule))
    if supposed.rule is not None or supposed.lifted:
        ruled = request.wishes.ruled = Ruled.of(rules, request.view.shelf)
        stranger = request.known.shopper is None
        request.disputed = {} if stranger else by_product(request.known.opinions.disputed)
        if ruled.untold:
            request.disputed = with_untold(request.disputed, ruled.untold)
        request.allowed = on_offer(request)
    return rules


def numbered(rule: Rule) -> Rule:
    """A rule that was not read by ``active_rules``, with the product that lists know: a variant's parent."""
    product = rule.product
    rule.item = None if product is None else product.parent_id or product.pk  # type: ignore[attr-defined]
    return rule


def _passed_over(request: Request, edges: Sequence[ServedEdge], rules: Sequence[Rule]) -> Iterator[PassedOver]:
    """What scores at least as much as the last of the list, and is not in it."""
    if request.strategy == Placement.Strategy.BUY_AGAIN or not edges:
        return
    view = request.view
    model = view.models.for_strategy(request.strategy, without=request.spot.switched_off)
    best = model.rank(
        request.history,
        request.first + PASSED_OVER,
        at=request.at,
        n_candidates=reco_settings().CANDIDATES,
        bonus=view.points(request.wishes.ruled, request.wishes.favourites),
    )
    listed = {edge.product.pk for edge in edges}
    least = min(edge.score for edge in edges)
    missing = {
        int(pk): float(score)  # type: ignore[call-overload]
        for pk, score in zip(best.item_ids, best.scores, strict=True)
        if pk not in listed and score >= least
    }
    rows, why = final_rows(ids=missing.keys()) if missing else {}, _Why(request, rules)
    for pk, score in list(missing.items())[:PASSED_OVER]:
        if pk in rows:
            word, rule = why.of(rows[pk])
            yield PassedOver(rows[pk], score, word, rule)


class _Why:
    """Why one product or another cannot be in a list."""

    def __init__(self, request: Request, rules: Sequence[Rule]) -> None:
        self.request = request
        stranger = request.known.shopper is None
        self.refused = set() if stranger else request.known.opinions.refused
        self.bought = set() if stranger else request.known.bought()
        shelf = request.view.shelf
        self.hiding: list[tuple[Rule, Mask | None]] = [
            (rule, Ruled.of([rule], shelf).hidden) for rule in rules if rule.action == Rule.Action.HIDE
        ]

    def of(self, product: Any) -> tuple[str, Rule | None]:
        request, pk = self.request, product.pk
        if not product.shown:
            return "hidden", None
        place = int(np.searchsorted(request.view.shelf.ids, pk))
        for rule, mask in self.hiding:
            if mask is not None and place < mask.size and request.view.shelf.ids[place] == pk and mask[place]:
                return "rule", rule
        if pk in self.refused:
            return "refused", None
        if pk in request.wishes.blocked:
            return "blocked", None
        if pk in request.earlier or pk in request.products:
            return "shown", None
        if pk in request.exclude and pk in self.bought:
            return "bought", None
        return "variety", None
