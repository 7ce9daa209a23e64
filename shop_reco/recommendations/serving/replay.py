"""A past list, its scores and reasons computed again from the versions and events it rested on."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice
from typing import Any

import numpy as np
from django.db.models import Q
from django.utils.translation import gettext as _

from reco_engine.artifacts import load
from reco_engine.data.interactions import History
from reco_engine.errors import ArtifactError
from reco_engine.ranking import Blend, Hybrid
from reco_engine.ranking.blending import DEFAULT_WEIGHTS
from reco_engine.reasons import explained
from reco_engine.types import Recommendation
from shop_reco.conf import reco_settings
from shop_reco.events.engine import live_history
from shop_reco.events.selectors import arrivals
from shop_reco.products.models import Product
from shop_reco.users.selectors import existing_ids

from ..engine import stores_users
from ..models import Slate
from ..selectors import erased_among, versions_named
from .asking import with_likes
from .disputes import undisputed
from .memory import hybrid_of, masked
from .newcomers import knowing
from .recording import digest_of
from .texts import EVIDENCE
from .wishes import with_points, without

ON_ITS_WAY = dt.timedelta(seconds=120)
"""An event that arrived so shortly before or after a list may have been stored too late, or by a faster clock."""
MOST_TRIES = 300
"""Histories that are tried before the record counts as gone."""


class Outcome(enum.StrEnum):
    """What became of the attempt; everything but EQUAL says why not in words, too."""

    EQUAL = "equal"
    DIFFERENT = "different"
    ERASED = "erased"
    PRUNED = "pruned"
    CATALOGUE_CHANGED = "catalogue changed"
    HISTORY_GONE = "history gone"
    NOT_RECORDED = "not recorded"


@dataclass(frozen=True, slots=True)
class ReplayedItem:
    """One item as it was recorded and as it was computed again; None where it was not."""

    product: int
    recorded: Mapping[str, Any]
    again: Recommendation | None

    @property
    def equal(self) -> bool:
        """To the bit: the score, and each reason's kind, points and source. Of its evidence a part was told."""
        if self.again is None or self.again.score != self.recorded["score"]:
            return False
        told = self.recorded["reasons"]
        return len(told) == len(self.again.reasons) and all(
            (mine["kind"], mine["points"], mine["source"]) == (reason.kind.upper(), reason.points, reason.source)
            and set(mine["evidence"]) <= set(reason.evidence[:EVIDENCE])
            for mine, reason in zip(told, self.again.reasons, strict=True)
        )


@dataclass(frozen=True, slots=True)
class Replayed:
    slate: Slate
    outcome: Outcome
    why: str = ""
    items: list[ReplayedItem] = field(default_factory=list)


class NotPossibleError(Exception):
    """What a slate rested on is gone."""

    def __init__(self, outcome: Outcome, why: str) -> None:
        super().__init__(why)
        self.outcome, self.why = outcome, why


def replay(slate: Slate) -> Replayed:
    """Compute the scores and reasons of a slate's items again, and compare them with the record.

    What the shop filled up with was not scored and is passed over. Erasure wins: neither events nor stored rows of
    whoever was erased since are used, and where that shows the outcome says so.
    """
    recorded = {item["product"]: item for item in slate.items if item["placed_by"] != "FILL"}
    try:
        again = {each.item_id: each for each in computed(slate)}
    except NotPossibleError as error:
        items = [ReplayedItem(pk, item, None) for pk, item in recorded.items()]
        return Replayed(slate, error.outcome, error.why, items)
    items = [ReplayedItem(pk, item, again.get(pk)) for pk, item in recorded.items()]
    if all(item.equal for item in items):
        return Replayed(slate, Outcome.EQUAL, "", items)
    return Replayed(slate, *_why_not(slate), items)


def computed(slate: Slate, most: int | None = None) -> list[Recommendation]:
    """The scores of a slate again, with its own number of reasons or ``most``.

    Raises:
        NotPossibleError: If what it rested on is gone.
    """
    basis = slate.basis
    most = basis.get("reasons", 0) if most is None else most
    if not basis or slate.scored_at is None or (basis["personal"] and "people" not in basis):
        raise NotPossibleError(Outcome.NOT_RECORDED, _("what the list rested on was not kept, or not under this name"))
    if not basis["among"]:
        return []
    history = history_of(slate)
    model = model_of(slate)
    told = explained(model, history, basis["among"], at=slate.scored_at, most=most)
    wished = {"rule": dict(basis["rules"]), "pinned": dict(basis.get("favourites", ()))}
    points = [{kind: some[pk] for kind, some in wished.items() if pk in some} for pk in basis["among"]]
    disputed = dict(basis["disputed"])
    return [undisputed(each, disputed) for each in with_points(told, points, most)]


def history_of(slate: Slate) -> History:
    basis = slate.basis
    if "people" not in basis:
        return History(slate.context.get("products", []))
    people = basis["people"]
    if len(existing_ids(ids=people)) < len(people):
        raise NotPossibleError(Outcome.ERASED, _("the shopper was erased, or a visitor who was them"))
    for arrived in islice(_arrived(people, slate.served_at), MOST_TRIES):
        history = live_history(shopper_ids=people, at=slate.scored_at, arrived=arrived)
        if digest_of(history) == basis["digest"]:
            likes = [(pk, at) for pk, at in basis["likes"]]
            return without(with_likes(history, likes), set(basis["unused"]))
    raise NotPossibleError(
        Outcome.HISTORY_GONE,
        _("events it saw are gone by retention, or are read otherwise by settings that changed since"),
    )


def _arrived(people: Sequence[int], moment: dt.datetime) -> Iterator[Q]:
    """What may have been stored at a moment, the likeliest first: all that had arrived, then more and less of it."""
    yield Q(received_at__lte=moment)
    since = moment - ON_ITS_WAY
    close = arrivals(shopper_ids=people, since=since, until=moment + ON_ITS_WAY)
    seen = {each for each in close if each <= moment}
    for size in range(1, len(close) + 1):
        for turned in combinations(reversed(close), size):
            yield Q(received_at__lt=since) | Q(received_at__in=seen.symmetric_difference(turned))


def model_of(slate: Slate) -> Any:
    """The recommenders that took part, as they were; those that store users without whoever was erased."""
    basis, versions = slate.basis, slate.versions
    scorers = [kind for kind in versions if kind in DEFAULT_WEIGHTS]
    wanted = {*basis["kinds"], *({"hybrid"} & versions.keys())}
    rows = versions_named(names=[versions[kind] for kind in wanted])
    parts: dict[str, Any] = {}
    for kind in sorted(wanted):
        row = rows.get(versions[kind])
        try:
            if row is None:
                raise ArtifactError("it is pruned")
            parts[kind] = load(reco_settings().ARTIFACTS_ROOT / versions[kind], sha256=row.manifest_sha256)
        except ArtifactError as error:
            raise NotPossibleError(
                Outcome.PRUNED,
                _("version %(name)s of %(kind)s: %(error)s")
                % {"name": versions[kind][:8], "kind": kind, "error": error},
            ) from error
    parts = masked(parts)
    if "buy_again" in parts:
        return parts["buy_again"]
    blend = parts.pop("hybrid", None) or Blend.default(dict.fromkeys(scorers, 1.0))
    return hybrid_of(
        Hybrid(knowing(parts, np.asarray(basis["newcomers"], dtype=np.int64)), blend), basis["strategy"], basis["kinds"]
    )


def _why_not(slate: Slate) -> tuple[Outcome, str]:
    """The first thing that is known to have changed under the list."""
    rows = versions_named(names=[slate.versions[kind] for kind in slate.basis["kinds"]])
    for name, row in rows.items():
        if not stores_users(row.recommender_id):
            continue
        model = load(reco_settings().ARTIFACTS_ROOT / name, sha256=row.manifest_sha256)
        if erased_among(ids=model.user_ids_.tolist(), since=slate.served_at):
            return Outcome.ERASED, _("a shopper who stood behind its reasons was erased")
    new = slate.basis["newcomers"]
    same = Product.objects.filter(pk__in=new, updated_at__lte=slate.served_at).count()
    if same < len(new):
        return Outcome.CATALOGUE_CHANGED, _("a product that came after the training was changed since")
    return Outcome.DIFFERENT, _("nothing known changed under it: other wheels, another processor, or other settings")
