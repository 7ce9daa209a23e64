"""Questions about recommenders, their versions and what shoppers said."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Max, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from shop_reco.conf import reco_settings
from shop_reco.prepared import Prepared
from shop_reco.products.models import CatalogueState, Product
from shop_reco.products.selectors import catalogue_revision
from shop_reco.users.models import Consent, Shopper

from .models import (
    ErasedRow,
    Feedback,
    ModelVersion,
    Placement,
    Promotion,
    Recommender,
    Rule,
    ServingState,
    Slate,
    TrainingRun,
)

NO = (Feedback.Kind.NOT_INTERESTED, Feedback.Kind.DISLIKE, Feedback.Kind.ALREADY_HAVE)
"""What keeps a product out of every later list."""


def serving_revision() -> int:
    """One query."""
    return ServingState.objects.filter(pk=1).values_list("revision", flat=True).first() or 0


def revisions() -> tuple[int, int]:
    """How often what serving keeps in memory changed, and how often the catalogue did; one query."""
    serving, products = next(iter(_revisions()), None) or (0, catalogue_revision())
    return serving, products or 0


@Prepared
def _revisions() -> QuerySet[ServingState, Any]:
    catalogue = CatalogueState.objects.filter(pk=1).values("revision")
    return ServingState.objects.filter(pk=1).values_list("revision", Subquery(catalogue))


def enabled_kinds() -> frozenset[str]:
    return frozenset(Recommender.objects.filter(enabled=True).values_list("kind", flat=True))


def recommenders() -> list[Recommender]:
    """All of them; one query."""
    return list(Recommender.objects.all())


def live_versions() -> list[ModelVersion]:
    return list(ModelVersion.objects.filter(state=ModelVersion.State.LIVE))


def live_version(*, kind: str) -> ModelVersion | None:
    """One query."""
    live = ModelVersion.objects.filter(recommender=kind, state=ModelVersion.State.LIVE)
    return live.select_related("run").first()


def earlier_versions(*, kind: str) -> list[ModelVersion]:
    """Retired versions, the last promoted first."""
    found = ModelVersion.objects.filter(recommender=kind, state=ModelVersion.State.RETIRED, pruned_at__isnull=True)
    return list(found.order_by("-promoted_at", "-pk"))


def masked_ids() -> list[int]:
    """Users of the engine whose stored rows count nothing, since they were erased; one query."""
    return list(ErasedRow.objects.values_list("pk", flat=True))


def erased_among(*, ids: Collection[int], since: dt.datetime) -> set[int]:
    """Those of some shoppers who were erased since a moment; one query."""
    found = ErasedRow.objects.filter(erased_at__gte=since).values_list("pk", flat=True)
    return set(found).intersection(ids)


def versions_named(*, names: Collection[str]) -> dict[str, ModelVersion]:
    """Versions by the names of their folders, those whose artifacts are there; one query."""
    found = ModelVersion.objects.filter(public_id__in=list(names), pruned_at__isnull=True)
    return {version.public_id.hex: version for version in found}


def versions_that_knew(*, shopper_ids: Collection[int]) -> list[ModelVersion]:
    """Versions whose training may have read events of these shoppers, oldest first; two queries.

    That is each one whose run and some consent to training overlap: events that it read may be gone by now.
    """
    asked = Consent.objects.filter(shopper__in=shopper_ids, purpose=Consent.Purpose.TRAINING, granted=True)
    times = list(asked.values_list("decided_at", "superseded_at"))
    if not times:
        return []
    return [
        version
        for version in kept_versions()
        if any(since <= version.created_at and (until is None or until >= began(version)) for since, until in times)
    ]


def kept_versions() -> list[ModelVersion]:
    """Versions whose artifacts are there, oldest first, with their runs; one query."""
    return list(ModelVersion.objects.filter(pruned_at__isnull=True).select_related("run").order_by("pk"))


def began(version: ModelVersion) -> dt.datetime:
    """Since when it cannot have read what was not there: nothing that was erased before is in it."""
    started = version.run.started_at if version.run is not None else None
    return started or version.created_at


def erasures() -> list[dt.datetime]:
    """When shoppers were erased whom some version may have learnt from, oldest first; one query."""
    return list(ErasedRow.objects.filter(learnt=True).order_by("erased_at").values_list("erased_at", flat=True))


def last_erasure() -> dt.datetime | None:
    """When somebody was erased last, as long as it is remembered; one query."""
    return ErasedRow.objects.aggregate(last=Max("erased_at"))["last"]


KEPT = 2
"""Earlier versions of each kind that are kept to go back to, and refused ones to overrule the gate with."""


def versions_to_prune(*, now: dt.datetime) -> list[ModelVersion]:
    """Versions whose artifacts nothing needs: not live, not the last ones before, not behind a list that is kept.

    One that may hold an erased shopper goes as soon as a clean one of its kind is live, whoever else needs it.
    """
    erased, kept = erasures(), kept_versions()
    live = {each.recommender_id: each for each in kept if each.state == ModelVersion.State.LIVE}
    doomed = []
    seen: dict[tuple[str, str], int] = {}
    for version in reversed(kept):
        if version.state == ModelVersion.State.LIVE:
            continue
        serving = live.get(version.recommender_id)
        knows = [at for at in erased if at > began(version)]
        if knows and (serving is None or began(serving) > knows[-1]):
            doomed.append(version)
            continue
        key = (version.recommender_id, version.state)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] > KEPT and not _is_replayed(version, now):
            doomed.append(version)
    return doomed


def _is_replayed(version: ModelVersion, now: dt.datetime) -> bool:
    """Whether some list that is kept may rest on it; two queries."""
    if version.promoted_at is None:
        return False
    replaced = Promotion.objects.filter(replaced=version).order_by("-decided_at").values_list("decided_at", flat=True)
    oldest = now - dt.timedelta(days=reco_settings().SLATE_DAYS)
    first = Promotion.objects.filter(version=version, went_live=True).order_by("decided_at").first()
    since = max(first.decided_at if first else version.promoted_at, oldest)
    return Slate.objects.filter(served_at__gte=since, served_at__lte=replaced.first() or now).exists()


def kinds_that_know_erased() -> list[str]:
    """Recommenders whose live version may have learnt from a shopper who was erased; two queries."""
    erased = erasures()
    if not erased:
        return []
    live = [each for each in kept_versions() if each.state == ModelVersion.State.LIVE]
    return [version.recommender_id for version in live if began(version) < erased[-1]]


class Opinions(NamedTuple):
    """What a shopper said of products.

    Attributes:
        refused: What they do not want to see again, and what staff keep from them after what they said.
        liked: What they like, and since when (unix seconds).
        disputed: Of which product, or its parent, they called reasons wrong, and of which kinds; none: of all.
    """

    refused: set[int]
    liked: list[tuple[int, float]]
    disputed: list[tuple[int, list[str]]]


def opinions(*, shopper_ids: Collection[int]) -> Opinions:
    """One query."""
    said = Opinions(set(), [], [])
    for product, parent, kind, given_at, disputed, excluded in _opinions(shopper_ids):
        if excluded:
            said.refused.add(parent or product)
        if kind == Feedback.Kind.LIKE:
            said.liked.append((product, given_at.timestamp()))
        elif kind == Feedback.Kind.WRONG_REASON:
            said.disputed.append((parent or product, disputed))
        elif kind in NO:
            said.refused.add(product)
    return said


@Prepared
def _opinions(shopper_ids: Collection[int]) -> QuerySet[Feedback, Any]:
    found = Feedback.objects.filter(shopper__in=shopper_ids).order_by("pk")
    return found.values_list("product_id", "product__parent_id", "kind", "given_at", "disputed", "excluded")


def active_rules() -> list[Rule]:
    """Rules that are in force or will be, with the brands and categories that they name; one query.

    A rule about a variant is about its parent, which is what lists show.
    """
    found = Rule.objects.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=timezone.now()), active=True)
    told = found.annotate(item=Coalesce("product__parent_id", "product_id"))
    return list(told.select_related("category").order_by("pk"))


def placements() -> dict[str, Placement]:
    """All of them by key; one query."""
    return Placement.objects.in_bulk()


def placement_titles() -> dict[str, str]:
    """What each is called, by key, in the reader's language; one query."""
    return {spot.key: str(spot) for spot in Placement.objects.only("key", "title")}


def slate_of(*, slate_id: UUID) -> Slate | None:
    return Slate.objects.filter(pk=slate_id).first()


def slates_of(*, shopper_id: int, limit: int) -> list[Slate]:
    """A shopper's last lists, the latest first; one query along one index."""
    return list(
        Slate.objects.filter(shopper=shopper_id).only("id", "served_at", "placement").order_by("-served_at")[:limit]
    )


LATELY = 300
"""Slates that are looked through for shoppers who came lately."""


def recent_occasions(*, placement: str, limit: int) -> list[tuple[Shopper, list[Product]]]:
    """Shoppers to whom a placement was shown lately, each once, and what their list was about; three queries."""
    found = Slate.objects.filter(placement=placement, shopper__isnull=False).order_by("-served_at")
    about: dict[int, list[int]] = {}
    for shopper, context in found.values_list("shopper_id", "context")[:LATELY]:
        about.setdefault(shopper, context.get("products", []))
    chosen = dict(list(about.items())[:limit])
    people = Shopper.objects.in_bulk(chosen)
    products = Product.objects.in_bulk({pk for pks in chosen.values() for pk in pks})
    return [
        (people[shopper], [products[pk] for pk in pks if pk in products])
        for shopper, pks in chosen.items()
        if shopper in people
    ]


def unfinished_runs() -> list[TrainingRun]:
    states = [TrainingRun.State.QUEUED, TrainingRun.State.RUNNING]
    return list(TrainingRun.objects.filter(state__in=states).order_by("requested_at", "pk"))


def run_of(*, public_id: UUID) -> TrainingRun | None:
    return TrainingRun.objects.filter(public_id=public_id).first()


def feedback_among(*, ids: Collection[int]) -> list[Feedback]:
    """The feedback that has these numbers; one query."""
    return list(Feedback.objects.filter(pk__in=ids))


def feedback_of(*, shopper_ids: Collection[int], limit: int) -> list[Feedback]:
    """What a linked set of shoppers said last, newest first; one query."""
    return list(Feedback.objects.filter(shopper__in=shopper_ids).order_by("-given_at", "-pk")[:limit])


def said_of_products(*, shopper_ids: Collection[int]) -> dict[int, list[str]]:
    """What a linked set of shoppers says, as kinds by product; one query."""
    said: dict[int, list[str]] = {}
    for product, kind in Feedback.objects.filter(shopper__in=shopper_ids).values_list("product_id", "kind"):
        said.setdefault(product, []).append(kind)
    return said


def reported_runs(*, limit: int) -> list[TrainingRun]:
    """The newest runs that looked at the events, newest first; one query."""
    found = TrainingRun.objects.exclude(cleaning={}).select_related("recommender")
    return list(found.order_by("-requested_at", "-pk")[:limit])


@dataclass(frozen=True, slots=True)
class ComparedFigure:
    """A measure of two versions; None where it was not taken."""

    section: str
    metric: str
    version: float | None
    other: float | None


def compared_figures(*, version: ModelVersion, other: ModelVersion) -> list[ComparedFigure]:
    """What the gate measured of two versions: on the same shoppers, where it compared the one with the other.

    Elsewhere each has the figures of its own day. One query.
    """
    met = version.promotions.filter(replaced=other).exists()
    mine, theirs = _measured(version, "candidate"), _measured(version if met else other, "live" if met else "candidate")
    return [
        ComparedFigure(section, metric, mine.get((section, metric)), theirs.get((section, metric)))
        for section, metric in sorted(mine.keys() | theirs.keys())
    ]


def _measured(version: ModelVersion, who: str) -> dict[tuple[str, str], float | None]:
    sections = version.gate.get("comparison", {}).get("sections", {})
    return {
        (section, metric): interval["mean"]
        for section, told in sections.items()
        for metric, interval in told["measured"].get(who, {}).items()
    }
