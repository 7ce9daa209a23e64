"""The lists of the shop: who is it for, what may be shown, rank, check once more, say why."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from django.utils import timezone

from reco_engine.data.interactions import History, codes_of
from reco_engine.reasons import explained
from reco_engine.recommenders.base import best_places
from reco_engine.types import Recommendation
from shop_reco.conf import reco_settings
from shop_reco.events.engine import live_history
from shop_reco.events.selectors import bought_products
from shop_reco.measures import list_served, stage
from shop_reco.products.models import Product
from shop_reco.products.selectors import ProductFilter, filtered, final_rows, showable
from shop_reco.users.models import Consent, Shopper
from shop_reco.users.selectors import consents, linked_ids

from ..errors import BadCursorError, BadPageError, UnknownPlacementError
from ..models import Placement, Slate
from ..selectors import liked_products, placement_of, refused_products, slate_of
from .disputes import disputes, undisputed
from .memory import LiveModels, memory
from .served import Served, ServedEdge
from .slates import buffer
from .texts import EVIDENCE, told
from .wishes import Wishes, wishes_for

SPARE = 4
"""Items ranked beyond the page: one tells whether there is another page, the rest fill gaps."""


@dataclass
class Request:
    """One wish for a list, and what is known of whoever it is for.

    Attributes:
        personal: The shopper allows personal lists.
        kept: The shopper allows something, so that what they were shown may be kept under their name.
    """

    placement: str
    first: int
    shopper: Shopper | None = None
    people: Collection[int] = ()
    history: History = field(default_factory=lambda: History([]))
    exclude: set[int] = field(default_factory=set)
    narrowing: ProductFilter | None = None
    earlier: list[int] = field(default_factory=list)
    products: tuple[int, ...] = ()
    personal: bool = False
    kept: bool = False
    strategy: str = Placement.Strategy.PERSONAL
    wishes: Wishes = field(default_factory=Wishes)
    disputed: dict[int, frozenset[str]] = field(default_factory=dict)


def recommend_for(
    *,
    shopper: Shopper | None,
    placement: str = "home",
    first: int = 10,
    after: str | None = None,
    filter: ProductFilter | None = None,
    products: Sequence[Product] = (),
) -> Served:
    """A placement's list.

    Raises:
        BadPageError: If ``first`` is out of bounds.
        BadCursorError: If ``after`` is not from one of this shopper's lists.
        UnknownPlacementError: If there is no such placement.
    """
    with stage("list"):
        return _answer(shopper, placement, first, after, filter, products)


def _answer(
    shopper: Shopper | None,
    placement: str,
    first: int,
    after: str | None,
    filter: ProductFilter | None,
    products: Sequence[Product],
) -> Served:
    spot = placement_of(key=placement)
    if spot is None:
        raise UnknownPlacementError(f"there is no placement {placement[:64]!r}")
    with stage("history"):
        request = _request(shopper, placement, first, spot.strategy, filter)
        request.wishes = wishes_for(placement=placement, shopper_ids=request.people)
    if spot.strategy != Placement.Strategy.PERSONAL or not request.personal:
        request.wishes.favourites.clear()  # a list around products says the same to everyone; a block counts in each
    request.history = request.wishes.followed(request.history)
    request.exclude |= request.wishes.hidden
    request.earlier = _earlier(after, request)
    request.exclude.update(request.earlier)
    if spot.strategy == Placement.Strategy.BUY_AGAIN:
        return _buy_again(request)
    if spot.strategy in (Placement.Strategy.SIMILAR, Placement.Strategy.BOUGHT_TOGETHER):
        _anchor(request, products)
    elif spot.strategy == Placement.Strategy.POPULAR:
        request.history, request.personal = History([]), False
    return _serve(request)


def similar_to(
    *, shopper: Shopper | None, product: Product, first: int = 10, filter: ProductFilter | None = None
) -> Served:
    """Products like this one; raises BadPageError."""
    return recommend_for(shopper=shopper, placement="similar", first=first, filter=filter, products=[product])


def bought_together(*, shopper: Shopper | None, products: Sequence[Product], first: int = 10) -> Served:
    """Products that others bought with these; raises BadPageError."""
    return recommend_for(shopper=shopper, placement="together", first=first, products=products)


def buy_again_for(*, shopper: Shopper | None, first: int = 10) -> Served:
    """What the shopper buys again and again; raises BadPageError."""
    return recommend_for(shopper=shopper, placement="again", first=first)


def _request(
    shopper: Shopper | None, placement: str, first: int, strategy: str, narrowing: ProductFilter | None
) -> Request:
    most = reco_settings().PAGE_ITEMS
    if not 1 <= first <= most:
        raise BadPageError(f"first must lie between 1 and {most}, not {first}")
    request = Request(placement, first, shopper, strategy=strategy, narrowing=narrowing)
    if shopper is None:
        return request
    ids = request.people = linked_ids(shopper=shopper)
    request.exclude = refused_products(shopper_ids=ids)
    request.disputed = disputes(shopper_ids=ids)
    given = consents(shopper=shopper)
    request.kept = any(given.values())
    if given[Consent.Purpose.PERSONALISATION]:
        request.personal = True
        request.history = personal_history(shopper_ids=ids)
        if strategy == Placement.Strategy.PERSONAL:
            request.exclude |= bought_products(shopper_ids=ids)
    return request


def personal_history(*, shopper_ids: Sequence[int]) -> History:
    """What the recommenders see of a linked set: the newest events and the likes; two queries."""
    return _with_likes(live_history(shopper_ids=shopper_ids), liked_products(shopper_ids=shopper_ids))


def _with_likes(history: History, likes: Sequence[tuple[int, float]]) -> History:
    if not likes:
        return history
    times = list(history.timestamps or [])
    weights = list(history.weights or [])
    return History(
        [*history.items, *(pk for pk, _ in likes)],
        [*times, *(at for _, at in likes)],
        [*weights, *(1.0 for _ in likes)],
    )


def _anchor(request: Request, products: Sequence[Product]) -> None:
    """A list around products says the same to everyone, less what this shopper refused."""
    request.products = tuple(product.parent_id or product.pk for product in products)
    request.history = History(list(request.products))
    request.exclude.update(request.products)
    request.personal = False


def _earlier(after: str | None, request: Request) -> list[int]:
    """Products on the pages before; the cursor names a served list and a rank in it."""
    if after is None:
        return []
    name, _, rank = after.partition(":")
    try:
        slate_id, shown = uuid.UUID(name), int(rank)
        if not (rank.isascii() and rank.isdecimal() and shown >= 1):
            raise ValueError
    except ValueError:
        raise BadCursorError("after must be a cursor of an earlier answer") from None
    slate = buffer.find(slate_id) or slate_of(slate_id=slate_id)
    mine = slate is not None and slate.shopper_id == (request.shopper.pk if request.shopper and request.kept else None)
    if slate is None or not mine or slate.placement != request.placement:
        raise BadCursorError("the list of this cursor is gone; ask again without after")
    listed = [*slate.earlier, *(item["product"] for item in slate.items)]
    if shown > len(listed):
        raise BadCursorError("the list of this cursor is shorter; after must be a cursor of an earlier answer")
    return listed[:shown]


def _serve(request: Request) -> Served:
    models, allowed = memory.models_and_mask()
    if request.narrowing is not None and request.narrowing.narrows():
        with stage("mask"):
            passing = filtered(queryset=showable(), filter=request.narrowing).values_list("pk", flat=True)
            allowed = allowed & np.isin(models.hybrid.item_ids, np.fromiter(passing, np.int64))
    model = models.for_strategy(request.strategy)
    at = timezone.now().timestamp()
    with stage("rank"):
        best = model.rank(
            request.history,
            request.first + SPARE,
            allowed=allowed,
            exclude=request.exclude,
            at=at,
            n_candidates=reco_settings().CANDIDATES,
            bonus=request.wishes.points(),
        )
    pinned = _pinned(request)
    items = [*best.item_ids, *(pk for pk in pinned.values() if pk not in best.item_ids)]
    with stage("reasons"):
        ranked = request.wishes.explained(explained(model, request.history, items, at=at))
    return _finish(request, models, _with_pins(ranked, pinned))


def _buy_again(request: Request) -> Served:
    models = memory.models()
    model = models.buy_again
    if model is None or "buy_again" not in models.enabled or not request.personal:
        return _finish(request, models, (), fill=False)
    at = timezone.now().timestamp()
    bought = bought_products(shopper_ids=request.people)
    with stage("rank"):
        row = model.score([request.history], at=at)[0].astype(np.float64)
        row[~np.isin(model.item_ids, np.fromiter(bought - request.exclude, np.int64))] = np.nan
        points = request.wishes.points()
        places = codes_of(model.item_ids, list(points))
        row[places[places >= 0]] += np.fromiter(points.values(), np.float64, len(points))[places >= 0]
        ids = model.item_ids[best_places(row, request.first + SPARE)].tolist()
    with stage("reasons"):
        ranked = request.wishes.explained(explained(model, request.history, ids, at=at))
    return _finish(request, models, ranked, fill=False)


def _pinned(request: Request) -> dict[int, int]:
    """Products that a rule pins to a place of this page, by their place in it, from 0."""
    start = len(request.earlier)
    return {
        rank - 1 - start: pk
        for rank, pk in sorted(request.wishes.pins.items())
        if start < rank <= start + request.first and pk not in request.exclude
    }


def _with_pins(ranked: Sequence[Recommendation], pinned: dict[int, int]) -> tuple[Recommendation, ...]:
    """The same items with the pinned ones at their places; scores stay what they are."""
    placed = {each.item_id: each for each in ranked}
    order = [each for each in ranked if each.item_id not in pinned.values()]
    for place, pk in pinned.items():
        order.insert(place, placed[pk])
    return tuple(order)


def _finish(
    request: Request,
    models: LiveModels,
    ranked: Sequence[Recommendation],
    *,
    fill: bool = True,
) -> Served:
    """Read the final rows with the one predicate, fill gaps, and keep the slate."""
    ranked = [undisputed(each, request.disputed) for each in ranked]
    wanted = {int(each.item_id): each for each in ranked}  # type: ignore[call-overload]
    witnesses: set[int] = {pk for each in ranked for reason in each.reasons for pk in reason.evidence[:EVIDENCE]}  # type: ignore[misc]
    with stage("rows"):
        products = final_rows(ids={*wanted, *witnesses})
    chosen = [(products[pk], each) for pk, each in wanted.items() if pk in products and products[pk].shown]
    newest: list[Product] = []
    if fill and len(chosen) <= request.first:
        newest = _newest(request, request.exclude | wanted.keys(), request.first + 1 - len(chosen))
    slate_id, start, ruled = uuid.uuid4(), len(request.earlier), set(request.wishes.pins.values())
    edges = [
        ServedEdge(
            product=product,
            cursor=f"{slate_id}:{start + place}",
            rank=start + place,
            score=each.score,
            placed_by="RULE" if product.pk in ruled or any(r.kind == "rule" for r in each.reasons) else "SCORE",
            reasons=[told(reason, product.pk, products) for reason in each.reasons],
        )
        for place, (product, each) in enumerate(chosen, start=1)
    ]
    edges += [
        ServedEdge(product, f"{slate_id}:{start + place}", start + place, 0.0, "FILL", [])
        for place, product in enumerate(newest, start=len(edges) + 1)
    ]
    served = Served(
        slate_id=slate_id,
        personalised=request.personal and len(request.history) > 0 and bool(chosen),
        rung=_rung(request, models, bool(chosen)),
        edges=edges[: request.first],
        has_next_page=len(edges) > request.first,
    )
    list_served(strategy=request.strategy, rung=served.rung, n_items=len(served.edges))
    with stage("slate"):
        buffer.put(_slate(request, models, served))
    return served


def _newest(request: Request, exclude: Collection[int], n: int) -> list[Product]:
    if request.strategy in (Placement.Strategy.SIMILAR, Placement.Strategy.BOUGHT_TOGETHER):
        return []
    found = showable().exclude(pk__in=list(exclude)[:900]).order_by("-pk")
    if request.narrowing is not None:
        found = filtered(queryset=found, filter=request.narrowing)
    return [product for product in found[: n + len(exclude)] if product.pk not in exclude][:n]


def _rung(request: Request, models: LiveModels, ranked: bool) -> str:
    if not ranked:
        return "NEWEST"
    if models.degraded:
        return "LAST_GOOD"
    return "PERSONAL" if request.personal and len(request.history) else "POPULAR"


def _slate(request: Request, models: LiveModels, served: Served) -> Slate:
    items = [
        {
            "product": edge.product.pk,
            "score": edge.score,
            "placed_by": edge.placed_by,
            "reasons": [
                {"kind": reason.kind, "points": reason.points, "evidence": [each.pk for each in reason.evidence]}
                for reason in edge.reasons
            ],
        }
        for edge in served.edges
    ]
    return Slate(
        id=served.slate_id,
        shopper=request.shopper if request.kept else None,
        placement=request.placement,
        rung=served.rung,
        items=items,
        earlier=request.earlier,
        versions=models.versions,
        context={"products": list(request.products)},
        served_at=timezone.now(),
    )
