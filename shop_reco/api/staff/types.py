"""Recommenders, their versions and their trainings, as staff see them."""

from __future__ import annotations

import datetime as dt
from typing import Any, Self

import strawberry
from strawberry.scalars import JSON

from shop_reco.api.ids import global_id
from shop_reco.api.limits.cost import most
from shop_reco.api.types import Node, Problem, enum_of
from shop_reco.recommendations import models
from shop_reco.recommendations.models import Feedback as FeedbackRow
from shop_reco.recommendations.models import ModelVersion as VersionRow
from shop_reco.recommendations.models import Placement as PlacementRow
from shop_reco.recommendations.models import Recommender as RecommenderRow
from shop_reco.recommendations.models import TrainingRun as RunRow

RecommenderKind: Any = enum_of("RecommenderKind", RecommenderRow.Kind.values, "A recommender of the shelf.")
VersionState: Any = enum_of(
    "VersionState", VersionRow.State.values, "Whether a version serves, may serve, has served, or was refused."
)
RunState: Any = enum_of("RunState", RunRow.State.values, "How far a training run has come.")
Verdict: Any = enum_of(
    "Verdict", [FeedbackRow.Review.ACCEPTED, FeedbackRow.Review.DISMISSED], "What staff make of feedback."
)
Strategy: Any = enum_of("Strategy", PlacementRow.Strategy.values, "What kind of list a placement has.")


@strawberry.type(description="What a recommender has learnt: its artifact, and what it is worth.")
class ModelVersion(Node):
    kind: RecommenderKind = strawberry.field(description="Whose version it is.")
    state: VersionState = strawberry.field(description="Whether it serves.")
    created_at: dt.datetime = strawberry.field(description="When it was written.")
    promoted_at: dt.datetime | None = strawberry.field(description="When it last went live; null if never.")
    watermark: dt.datetime | None = strawberry.field(description="Its newest event; null where it has none.")
    size: float = strawberry.field(description="Bytes on disk.")
    available: bool = strawberry.field(description="Whether its artifact is still there, so that it can serve.")
    recipe: JSON = strawberry.field(description="Settings that fit it again, those found included.")
    figures: JSON = strawberry.field(description="Rows learnt from, seconds, settings that were found.")
    gate: JSON = strawberry.field(description="How it compared with what was live, section by section; empty if not.")

    @classmethod
    def of(cls, row: models.ModelVersion) -> Self:
        return cls(
            id=global_id("ModelVersion", row.public_id),
            kind=RecommenderKind(row.recommender_id),
            state=VersionState(row.state),
            created_at=row.created_at,
            promoted_at=row.promoted_at,
            watermark=row.watermark,
            size=float(row.size),
            available=row.pruned_at is None,
            recipe=row.recipe,
            figures=row.figures,
            gate=row.gate,
        )


@strawberry.type(description="A training: asked for, running or over. Ask again for it to follow its progress.")
class TrainingRun(Node):
    kind: RecommenderKind = strawberry.field(description="Which recommender it trains.")
    state: RunState = strawberry.field(description="How far it has come.")
    phase: str = strawberry.field(description="extracting, cleaning, training, evaluating, promoting, or empty.")
    progress: float = strawberry.field(description="0 to 1.")
    loss: float | None = strawberry.field(description="Of a network, the newest one; else null.")
    why: str = strawberry.field(description="Why it failed, was cancelled, refused its version, or had nothing to do.")
    log: str = strawberry.field(description="The last lines of what it did.")
    requested_at: dt.datetime = strawberry.field(description="When it was asked for.")
    started_at: dt.datetime | None = strawberry.field(description="When a worker took it; null while it waits.")
    finished_at: dt.datetime | None = strawberry.field(description="When it ended; null before.")

    @classmethod
    def of(cls, row: models.TrainingRun) -> Self:
        return cls(
            id=global_id("TrainingRun", row.public_id),
            kind=RecommenderKind(row.recommender_id),
            state=RunState(row.state),
            phase=row.phase,
            progress=row.progress,
            loss=row.loss,
            why=row.why,
            log=row.log,
            requested_at=row.requested_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
        )


@strawberry.type(description="A recommender, whether it takes part, and what serves of it.")
class Recommender:
    kind: RecommenderKind = strawberry.field(description="Which one it is.")
    enabled: bool = strawberry.field(description="Whether it takes part in lists.")
    live: ModelVersion | None = strawberry.field(description="What serves of it; null before its first training.")
    running: TrainingRun | None = strawberry.field(description="The training that waits or runs; null if none does.")


@strawberry.type(description="One figure of two versions, measured on the same shoppers where they were compared.")
class ComparedFigure:
    section: str = strawberry.field(description="discovery, next_basket, new_shoppers or new_products.")
    metric: str = strawberry.field(description="recall, ndcg, coverage and the others that the gate measures.")
    version: float | None = strawberry.field(description="Of the version asked about.")
    other: float | None = strawberry.field(description="Of the one that it is compared with.")


@strawberry.type(description="Two versions of one recommender beside each other.")
class VersionComparison:
    version: ModelVersion = strawberry.field(description="The one asked about.")
    other: ModelVersion = strawberry.field(description="What it is compared with.")
    same_recipe: bool = strawberry.field(description="Whether both have the same settings.")
    figures: list[ComparedFigure] = strawberry.field(
        description="What their gates measured of each; figures of different days are of different shoppers.",
        metadata=most(60),
    )


@strawberry.type(description="A named spot in the shop and what kind of list goes there.")
class Placement:
    key: str = strawberry.field(description="What recommendations(placement:) takes.")
    title: str = strawberry.field(description="Its name for people.")
    strategy: Strategy = strawberry.field(description="What kind of list it has.")
    switched_off: list[RecommenderKind] = strawberry.field(description="Recommenders that take no part in it.")
    size: int | None = strawberry.field(description="Most items of a page; null: as many as are asked for.")
    diversity: float = strawberry.field(description="0: by score alone, to 1: as unlike each other as may be.")
    reasons: int = strawberry.field(description="Reasons that an item gives; the rest is summed.")
    least_chance: float = strawberry.field(description="Below this chance an item is left out; 0: nothing is.")
    exploration: float = strawberry.field(description="Share of places that try something less certain.")

    @classmethod
    def of(cls, row: models.Placement) -> Self:
        return cls(
            key=row.key,
            title=row.title,
            strategy=Strategy(row.strategy),
            switched_off=[RecommenderKind(kind) for kind in row.switched_off],
            size=row.size,
            diversity=row.diversity,
            reasons=row.reasons,
            least_chance=row.least_chance,
            exploration=row.exploration,
        )


@strawberry.input(description="What changes of a placement; what is left out stays.")
class PlacementInput:
    key: str = strawberry.field(description="Which placement; one that is not there yet is made.")
    title: str | None = strawberry.field(default=strawberry.UNSET, description="Its name for people.")
    strategy: Strategy | None = strawberry.field(default=strawberry.UNSET, description="What kind of list it has.")
    switched_off: list[RecommenderKind] | None = strawberry.field(
        default=strawberry.UNSET, description="Recommenders that take no part in it."
    )
    size: int | None = strawberry.field(default=strawberry.UNSET, description="Most items of a page; null: no limit.")
    diversity: float | None = strawberry.field(default=strawberry.UNSET, description="0 to 1.")
    reasons: int | None = strawberry.field(default=strawberry.UNSET, description="Reasons that an item gives.")
    least_chance: float | None = strawberry.field(default=strawberry.UNSET, description="0 to 1.")
    exploration: float | None = strawberry.field(default=strawberry.UNSET, description="0 to 0.5.")

    def changes(self) -> dict[str, Any]:
        """Columns and their values, of what was given."""
        given = {name: value for name, value in vars(self).items() if value is not strawberry.UNSET and name != "key"}
        if given.get("strategy") is not None:
            given["strategy"] = given["strategy"].value
        if given.get("switched_off") is not None:
            given["switched_off"] = [kind.value for kind in given["switched_off"]]
        return given


@strawberry.type(description="What became of a change of a recommender.")
class RecommenderPayload:
    recommender: Recommender | None = strawberry.field(description="As it is now; null where nothing was changed.")
    errors: list[Problem] = strawberry.field(description="What stood in the way.", metadata=most(3))


@strawberry.type(description="What became of a change of a placement.")
class PlacementPayload:
    placement: Placement | None = strawberry.field(description="As it is now; null where nothing was changed.")
    errors: list[Problem] = strawberry.field(description="What stood in the way, by field.", metadata=most(3))


@strawberry.type(description="What became of a wish about a training.")
class TrainingPayload:
    run: TrainingRun | None = strawberry.field(description="The run; one that waited already is that one.")
    errors: list[Problem] = strawberry.field(description="What stood in the way.", metadata=most(3))


@strawberry.type(description="What became of a wish about a version.")
class VersionPayload:
    version: ModelVersion | None = strawberry.field(description="What serves now; null where nothing was changed.")
    errors: list[Problem] = strawberry.field(description="What stood in the way.", metadata=most(3))


@strawberry.type(description="What became of a review.")
class ReviewPayload:
    reviewed: int = strawberry.field(description="How many pieces of feedback it was.")
    errors: list[Problem] = strawberry.field(description="What stood in the way.", metadata=most(3))
