"""Lists in the schema: what is asked for, what comes back, and why."""

from __future__ import annotations

from typing import Self

import strawberry
from django.utils.translation import get_language, override

from shop_reco.products import models
from shop_reco.recommendations.serving import Explanation as Explained
from shop_reco.recommendations.serving import Parameter, Policy, Served, ServedEdge, ServedReason

from .context import Info
from .errors import GREATEST, ApiError, check
from .filter_types import ProductFilterInput
from .limits.cost import most
from .types import Channel, FeedbackKind, PageInfo, PlacedBy, Product, ReasonKind, Rung

LONGEST_TOLD = 256


@strawberry.type(description="One term of a score.")
class Reason:
    kind: ReasonKind
    text: str
    points: float = strawberry.field(description="Score units; the terms of an edge sum to its score.")
    rows: strawberry.Private[list[models.Product]]
    language: strawberry.Private[str | None]

    @strawberry.field(metadata=most(3))
    def evidence(self) -> list[Product]:
        with override(self.language):
            return [Product.of(row) for row in self.rows]

    @classmethod
    def of(cls, reason: ServedReason) -> Self:
        return cls(
            kind=ReasonKind(reason.kind),
            text=reason.text,
            points=reason.points,
            rows=reason.evidence,
            language=get_language(),
        )


@strawberry.type
class RecommendationEdge:
    node: Product
    cursor: str
    rank: int
    score: float
    placed_by: PlacedBy = strawberry.field(
        description="By its score, by a rule of the shop, on trial, or to fill a place that was left."
    )
    reasons: list[Reason] = strawberry.field(metadata=most(6))

    @strawberry.field(description="What this shopper says of it already.")
    def feedback(self, info: Info) -> list[FeedbackKind]:
        return [FeedbackKind(kind) for kind in info.context.said.get(self.node.row.pk, ())]

    @classmethod
    def of(cls, edge: ServedEdge) -> Self:
        return cls(
            node=Product.of(edge.product),
            cursor=edge.cursor,
            rank=edge.rank,
            score=edge.score,
            placed_by=PlacedBy(edge.placed_by),
            reasons=[Reason.of(reason) for reason in edge.reasons],
        )


@strawberry.type
class RecommendationConnection:
    slate_id: strawberry.ID
    personalised: bool
    rung: Rung = strawberry.field(description="How far down the ladder the list came from.")
    edges: list[RecommendationEdge]
    page_info: PageInfo

    @classmethod
    def of(cls, served: Served, after: str | None = None) -> Self:
        cursors = [edge.cursor for edge in served.edges]
        return cls(
            slate_id=strawberry.ID(str(served.slate_id)),
            personalised=served.personalised,
            rung=Rung(served.rung),
            edges=[RecommendationEdge.of(edge) for edge in served.edges],
            page_info=PageInfo.of(cursors, after=after, goes_on=served.has_next_page),
        )


@strawberry.type
class Explanation:
    explained: strawberry.Private[Explained]
    score: float

    @strawberry.field(metadata=most(30))
    def terms(self) -> list[Reason]:
        return [Reason.of(term) for term in self.explained.terms]

    @strawberry.field
    def gone(self) -> str:
        return self.explained.gone

    @strawberry.field(metadata=most(3))
    def without(self) -> list[Product]:
        return [Product.of(row) for row in self.explained.without]

    @strawberry.field(metadata=most(3))
    def instead(self) -> list[Product]:
        return [Product.of(row) for row in self.explained.instead]

    @classmethod
    def of(cls, explained: Explained) -> Self:
        return cls(explained=explained, score=explained.score)


@strawberry.type(description="One thing that decides what the lists show.")
class PolicyParameter:
    name: str
    weight: float | None = strawberry.field(description="Its share of a score, 0 to 1; null where it has none.")
    text: str = strawberry.field(description="In plain words, in the language of the request.")

    @classmethod
    def of(cls, row: Parameter) -> Self:
        return cls(name=row.name, weight=row.weight, text=row.text)


@strawberry.type(description="What decides the lists of whoever asks, from the settings in force.")
class RecommendationPolicy:
    personalised: bool
    parameters: list[PolicyParameter] = strawberry.field(metadata=most(15))

    @classmethod
    def of(cls, policy: Policy) -> Self:
        return cls(
            personalised=policy.personalised, parameters=[PolicyParameter.of(each) for each in policy.parameters]
        )


@strawberry.input
class RecommendationContext:
    products: list[strawberry.ID] | None = None
    exclude: list[strawberry.ID] | None = None
    page: str | None = None
    device: str | None = None
    channel: Channel | None = None
    locale: str | None = None

    def told(self) -> tuple[tuple[str, str], ...]:
        """Where the list is shown; raises ApiError BAD_VALUE."""
        check(page=self.page, device=self.device)
        said = {"page": self.page, "device": self.device, "channel": self.channel and self.channel.value}
        for name, value in said.items():
            if value is not None and len(value) > LONGEST_TOLD:
                raise ApiError("BAD_VALUE", f"context.{name} may have {LONGEST_TOLD} characters at most")
        return tuple((name, value) for name, value in said.items() if value)


@strawberry.input
class RecommendationTuning:
    diversity: float | None = None
    exploration: bool = True
    minimum_score: float | None = None

    def check(self) -> None:
        """Raises ApiError BAD_VALUE."""
        if self.diversity is not None and not 0 <= self.diversity <= 1:
            raise ApiError("BAD_VALUE", "tuning.diversity must lie between 0 and 1")
        if self.minimum_score is not None and not abs(self.minimum_score) < GREATEST:
            raise ApiError("BAD_VALUE", f"tuning.minimumScore must be a number below {GREATEST}")


@strawberry.input
class RecommendationRequest:
    placement: str = "home"
    first: int = 10
    filter: ProductFilterInput | None = None
    context: RecommendationContext | None = None
    tuning: RecommendationTuning | None = None
