"""Which products a list ranks, in which order, and why; the rows themselves are not read yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from reco_engine.data.interactions import codes_of
from reco_engine.ranking import Diversity, Hybrid, Silence, explored
from reco_engine.reasons import explained
from reco_engine.recommenders.base import best_places
from reco_engine.seeds import generator
from reco_engine.types import Recommendation
from shop_reco.conf import reco_settings
from shop_reco.measures import stage

from ..models import Placement
from .asking import Request
from .disputes import undisputed
from .wishes import with_points

SPARE = 4
"""Items ranked beyond the page: one tells whether there is another page, the rest fill gaps."""
TRIED_AMONG = 100
"""Items ranked beyond the page that may get a place on trial."""


@dataclass
class Ranked:
    """Products of a page and some beyond it, in order, as far as they are known without their rows.

    Attributes:
        pinned: Those that a rule puts where they are.
        tried: Those that got their places on trial.
        propensities: How likely each was to be on the page, where that is not certain.
        among: All that were explained together, in that order: sums come out alike, to the bit, in the same company.
        kinds: Recommenders that took part.
        whole: There is nothing beyond it.
        quiet: It is short because little is likely, and wants no filling.
        later: Rules pin something beyond the page.
    """

    items: Sequence[Recommendation] = ()
    pinned: frozenset[int] = frozenset()
    tried: frozenset[int] = frozenset()
    propensities: dict[int, float] = field(default_factory=dict)
    among: Sequence[int] = ()
    kinds: tuple[str, ...] = ()
    whole: bool = True
    quiet: bool = False
    later: bool = False


def ranked(request: Request, lost: Collection[int] = ()) -> Ranked:
    """The page that ``request`` asks for, without what turned out to be ``lost``."""
    if request.strategy == Placement.Strategy.BUY_AGAIN:
        return _bought_before(request, lost)
    nothing_personal = request.strategy == Placement.Strategy.PERSONAL and len(request.history) == 0
    if nothing_personal and request.spot.fallback != Placement.Fallback.POPULAR:
        return Ranked()
    return _discovered(request, lost)


def _discovered(request: Request, lost: Collection[int]) -> Ranked:
    view, spot = request.view, request.spot
    model = view.models.for_strategy(request.strategy, without=spot.switched_off)
    pins = _pins(request, lost)
    start, end = len(request.earlier), len(request.earlier) + request.first
    here = {rank: pk for rank, pk in pins.items() if start < rank <= end}
    later = [pk for rank, pk in pins.items() if rank > end]
    n = request.first - len(here)
    silence = Silence.of(model.blend) if spot.least_chance > 0 else None
    with stage("rank"):
        best = model.rank(
            request.history,
            n,
            allowed=request.allowed[1],
            exclude=request.exclude.union(lost, here.values(), later),
            at=request.at,
            n_candidates=reco_settings().CANDIDATES,
            bonus=view.points(request.wishes.ruled, request.wishes.favourites),
            diversity=Diversity(view.alike, spot.diversity, spot.diversity_cost) if spot.diversity > 0 else None,
            silence=silence,
            least_chance=spot.least_chance,
            spare=SPARE + (TRIED_AMONG if spot.exploration > 0 else 0),
        )
    ids: list[Any] = list(best.item_ids)
    whole = len(ids) < n + SPARE
    tried, propensities = frozenset[int](), dict[int, float]()
    if spot.exploration > 0:
        drawn = explored(len(ids), n, share=spot.exploration, rng=generator(request.seed, "exploration"))
        tried = frozenset(ids[place] for place in drawn.tried)
        propensities = dict(zip(ids, drawn.propensities.tolist(), strict=True))
        ids = [ids[place] for place in drawn.order]
    ids = ids[: n + SPARE]
    if whole:
        ids += later  # nothing comes before them any more
    among = [*ids, *here.values()]
    told = said(request, model, among)
    order = told[: len(ids)]
    for (rank, _), each in zip(here.items(), told[len(ids) :], strict=True):
        order.insert(rank - 1 - start, each)
    return Ranked(
        items=order,
        pinned=frozenset(pins.values()),
        tried=tried,
        propensities=propensities,
        among=among,
        kinds=tuple(sorted(model.parts)),
        whole=whole,
        quiet=silence is not None and silence.knows(len(request.history)),
        later=bool(later) and not whole,
    )


def _pins(request: Request, lost: Collection[int]) -> dict[int, int]:
    """Products that a rule pins to a rank of this page or a later one, if they may be shown, by rank."""
    start, closed = len(request.earlier), request.exclude.union(lost)
    wanted = {rank: pk for rank, pk in request.wishes.ruled.pins.items() if rank > start and pk not in closed}
    if not wanted:
        return {}
    places = codes_of(request.view.shelf.ids, list(wanted.values()))
    may_be = (places >= 0) & (request.allowed[0][places] if request.allowed[0].size else False)
    return {rank: pk for (rank, pk), open_ in zip(wanted.items(), may_be.tolist(), strict=True) if open_}


def _bought_before(request: Request, lost: Collection[int]) -> Ranked:
    view = request.view
    model = view.models.buy_again
    if model is None or not request.personal:
        return Ranked()
    if "buy_again" not in view.models.enabled or "buy_again" in request.spot.switched_off:
        return Ranked()
    may_be = view.shelf.ids[request.allowed[0]]
    bought = set(request.known.bought()) - request.exclude
    wanted = np.setdiff1d(np.intersect1d(np.fromiter(bought, np.int64, len(bought)), may_be), list(lost))
    with stage("rank"):
        row = model.score([request.history], at=request.at)[0].astype(np.float64)
        row[~np.isin(model.item_ids, wanted)] = np.nan
        points = view.points_over(request.wishes.ruled, model.item_ids)
        best = best_places(row if points is None else row + points, request.first + SPARE)
    ids = model.item_ids[best].tolist()
    told = said(request, model, ids)
    return Ranked(items=told, among=ids, kinds=("buy_again",), whole=len(ids) < request.first + SPARE, quiet=True)


def said(request: Request, model: Hybrid | Any, ids: Sequence[int]) -> list[Recommendation]:
    """The items with their reasons; those of the model are told together."""
    most = request.spot.reasons
    with stage("reasons"):
        told = explained(model, request.history, ids, at=request.at, most=most)
        wished = with_points(told, [request.wishes.points_of(pk) for pk in ids], most)
        return [undisputed(each, request.disputed) for each in wished]
