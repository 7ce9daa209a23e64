"""Who asks for which list, and what is known of them."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import uuid
from collections.abc import Collection, Sequence
from copy import copy
from dataclasses import dataclass, field

from django.conf import settings

from reco_engine.data.interactions import History
from shop_reco.conf import reco_settings
from shop_reco.measures import stage
from shop_reco.products.filters import ProductFilter
from shop_reco.users.models import Consent, Shopper

from ..errors import BadCursorError, BadPageError, UnknownPlacementError
from ..models import Placement
from .disputes import by_product, with_untold
from .known import Known
from .memory import View
from .rules import in_force
from .shelf import Mask, microseconds
from .slates import own_slate
from .wishes import Wishes, wishes_for


@dataclass(frozen=True, kw_only=True)
class Adjustments:
    """What one request wants otherwise than its placement.

    Attributes:
        exclude: Products that are not wanted in this list.
        diversity: 0 to 1, in place of the placement's.
        explore: Whether places may go to products on trial.
        least_score: What scores less is left out, and nothing fills its place.
        told: More about the request, kept with the list: the page, the device.
        only: Products to put in order: the list has these and no others, bought before or not. Empty: any.
    """

    exclude: frozenset[int] = frozenset()
    diversity: float | None = None
    explore: bool = True
    least_score: float | None = None
    told: tuple[tuple[str, str], ...] = ()
    only: tuple[int, ...] = ()

    def of(self, spot: Placement) -> Placement:
        """The placement as this request wants it."""
        if self.diversity is None and (self.explore or not spot.exploration):
            return spot
        spot = copy(spot)
        spot.diversity = spot.diversity if self.diversity is None else self.diversity
        spot.exploration = spot.exploration if self.explore else 0.0
        return spot


AS_IT_IS = Adjustments()
Likes = list[tuple[int, float]]
"""Products, and since when they are liked, in unix seconds."""


@dataclass
class Request:
    """One wish for a list, and what is known of whoever it is for.

    Attributes:
        first: Places of the page.
        personal: The shopper allows personal lists, and gets one.
        kept: The shopper allows something, so that what they were shown may be kept under their name.
        control: They allow personal lists, and get another one to compare with.
        arrived: Their events as they had arrived, before likes, and before what they hid is left out.
        history: What the recommenders see.
        products: What the list is about.
        allowed: What may be in it: of the shelf's products, and of the models' items.
    """

    spot: Placement
    first: int
    known: Known
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    people: Collection[int] = ()
    personal: bool = False
    kept: bool = False
    control: bool = False
    arrived: History = field(default_factory=lambda: History([]))
    likes: Likes = field(default_factory=list)
    history: History = field(default_factory=lambda: History([]))
    exclude: set[int] = field(default_factory=set)
    narrowing: ProductFilter | None = None
    earlier: list[int] = field(default_factory=list)
    products: tuple[int, ...] = ()
    wishes: Wishes = field(default_factory=Wishes)
    disputed: dict[int, frozenset[str]] = field(default_factory=dict)
    adjusted: Adjustments = AS_IT_IS
    allowed: tuple[Mask, Mask] = field(init=False)

    @property
    def view(self) -> View:
        return self.known.view

    @property
    def now(self) -> dt.datetime:
        return self.known.now

    @property
    def shopper(self) -> Shopper | None:
        return self.known.shopper

    @property
    def at(self) -> float:
        """Unix seconds."""
        return self.now.timestamp()

    @property
    def strategy(self) -> str:
        return self.spot.strategy

    @property
    def seed(self) -> int:
        return self.id.int >> 65  # what fits a column of the database

    @property
    def discovers(self) -> bool:
        """Whether it is for what the shopper has yet to find, and may be filled with what is popular or new."""
        return self.strategy in (
            Placement.Strategy.PERSONAL,
            Placement.Strategy.POPULAR,
            Placement.Strategy.TRENDING,
        )


def asked(
    *,
    known: Known,
    placement: str,
    first: int,
    after: str | None = None,
    narrowing: ProductFilter | None = None,
    products: Sequence[int] = (),
    adjusted: Adjustments = AS_IT_IS,
) -> Request:
    """Everything that a list depends on.

    Raises:
        BadPageError: If ``first`` is out of bounds.
        BadCursorError: If ``after`` is not from one of this shopper's lists.
        UnknownPlacementError: If there is no such placement.
    """
    most = reco_settings().PAGE_ITEMS
    if not 1 <= first <= most:
        raise BadPageError(f"first must lie between 1 and {most}, not {first}")
    view, now = known.view, known.now
    spot = view.models.placements.get(placement)
    if spot is None:
        raise UnknownPlacementError(f"there is no placement {placement[:64]!r}")
    request = Request(
        adjusted.of(spot), min(first, spot.size or first), known, narrowing=narrowing, adjusted=adjusted
    )  # fmt: skip
    with stage("history"):
        if known.shopper is not None:
            _look_at(request, known)
        ruled = view.ruled(in_force(view.models.rules, placement=placement, now=now))
        request.wishes = wishes_for(ruled=ruled, edited=known.edited)
    if ruled.untold:
        request.disputed = with_untold(request.disputed, ruled.untold)
    request.exclude |= request.wishes.blocked | adjusted.exclude
    if request.strategy not in (Placement.Strategy.PERSONAL, Placement.Strategy.BUY_AGAIN):
        request.personal = False
    if request.strategy != Placement.Strategy.PERSONAL or not request.personal:
        request.wishes.favourites.clear()  # a list around products says the same to everyone; a block counts in each
    if request.personal:
        request.history = request.wishes.followed(with_likes(request.arrived, request.likes))
    elif request.strategy in (Placement.Strategy.SIMILAR, Placement.Strategy.BOUGHT_TOGETHER):
        request.products = tuple(products)
        request.history = History(list(products))
        request.exclude.update(products)
    request.earlier = _earlier(after, request)
    request.exclude.update(request.earlier)
    with stage("mask"):
        request.allowed = on_offer(request)
    return request


def _look_at(request: Request, known: Known) -> None:
    """What the shopper allows, and within it what they did and said; five queries at most."""
    request.people = known.people
    request.exclude, request.disputed = set(known.opinions.refused), by_product(known.opinions.disputed)
    request.kept = any(known.consents.values())
    if not known.consents[Consent.Purpose.PERSONALISATION]:
        return
    discovery = request.strategy == Placement.Strategy.PERSONAL
    if discovery and known.named is not None and is_control(known.named):
        request.control = True
        return
    if not discovery and request.strategy != Placement.Strategy.BUY_AGAIN:
        return
    request.personal, request.likes = True, known.opinions.liked
    request.arrived = known.history
    if discovery and request.spot.repeats != Placement.Repeats.ALWAYS and not request.adjusted.only:
        ago = dt.timedelta(days=request.spot.repeat_days)
        since = request.now - ago if request.spot.repeats == Placement.Repeats.AFTER else None
        request.exclude |= set(known.bought(since))


def is_control(public_id: uuid.UUID) -> bool:
    """Whether whoever has this public id is among those who get no personal lists, to compare with.

    By a keyed hash, so that it stays the same as long as SECRET_KEY does, and that nobody can tell from an id.
    """
    digest = hmac.new(settings.SECRET_KEY.encode(), b"control:" + public_id.bytes, hashlib.sha256).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < reco_settings().CONTROL_SHARE


def with_likes(history: History, likes: Likes) -> History:
    """The history with what they like as events of their own."""
    if not likes:
        return history
    times = list(history.timestamps or [])
    weights = list(history.weights or [])
    return History(
        [*history.items, *(pk for pk, _ in likes)],
        [*times, *(at for _, at in likes)],
        [*weights, *(1.0 for _ in likes)],
    )


def _earlier(after: str | None, request: Request) -> list[int]:
    """Products on the pages before; the cursor names a served list and a rank in it.

    Nothing else is remembered of them. A page is the best of what was not shown yet, by what is known when it is
    asked for: so nothing comes twice, and whatever was passed over, or rises or comes between two pages, is still to
    come. A ranking kept from the first page would show what was refused or sold out since, and not what is new.
    """
    if after is None:
        return []
    name, _, rank = after.partition(":")
    try:
        slate_id, shown = uuid.UUID(name), int(rank)
        if not (rank.isascii() and rank.isdecimal() and shown >= 1):
            raise ValueError
    except ValueError:
        raise BadCursorError("after must be a cursor of an earlier answer") from None
    name_of = request.shopper.pk if request.shopper and request.kept else None
    slate = own_slate(slate_id=slate_id, shopper_ids=() if name_of is None else (name_of,))
    if slate is None or slate.shopper_id != name_of or slate.placement != request.spot.key:
        raise BadCursorError("the list of this cursor is gone; ask again without after")
    listed = [*slate.earlier, *(item["product"] for item in slate.items)]
    if shown > len(listed):
        raise BadCursorError("the list of this cursor is shorter; after must be a cursor of an earlier answer")
    return listed[:shown]


def on_offer(request: Request) -> tuple[Mask, Mask]:
    """What is on offer, passes the filter, and is hidden by no rule."""
    view, hidden = request.view, request.wishes.ruled.hidden
    products, items = open_ = view.open_at(microseconds(request.now))
    if request.narrowing is not None and request.narrowing.narrows():
        products = products & view.shelf.passing(request.narrowing)
    if hidden is not None:
        products = products & ~hidden
    if request.adjusted.only:
        products = products & view.shelf.among(request.adjusted.only)
    return (products, items) if products is open_[0] else (products, view.over_items(products))
