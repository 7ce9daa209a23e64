"""Reads of staff."""

from __future__ import annotations

import strawberry

from shop_reco.api.context import Info
from shop_reco.api.errors import ApiError
from shop_reco.api.ids import public_id_of
from shop_reco.api.limits.cost import most
from shop_reco.recommendations import models, selectors

from .permits import need
from .types import ComparedFigure, ModelVersion, Placement, Recommender, TrainingRun, VersionComparison

VIEW_VERSIONS = ("view_recommender", "view_modelversion")


def find_version(value: str) -> models.ModelVersion:
    """The version with this global id; raises ApiError NOT_FOUND."""
    name = public_id_of("ModelVersion", value).hex
    found = selectors.versions_named(names=[name]).get(name)
    if found is None:
        raise ApiError("NOT_FOUND", "there is no model version with this id")
    return found


def find_run(value: str) -> models.TrainingRun:
    """The training run with this global id; raises ApiError NOT_FOUND."""
    found = selectors.run_of(public_id=public_id_of("TrainingRun", value))
    if found is None:
        raise ApiError("NOT_FOUND", "there is no training run with this id")
    return found


def recommenders() -> list[Recommender]:
    """Every recommender with what serves of it and what trains it; three queries."""
    live = {row.recommender_id: ModelVersion.of(row) for row in selectors.live_versions()}
    runs = {row.recommender_id: TrainingRun.of(row) for row in selectors.unfinished_runs()}
    return [
        Recommender(kind=row.kind, enabled=row.enabled, live=live.get(row.kind), running=runs.get(row.kind))
        for row in selectors.recommenders()
    ]


@strawberry.type
class StaffQuery:
    @strawberry.field(
        description="Of staff: every recommender, whether it takes part, what serves of it and what trains it.",
        metadata=most(10),
    )
    def recommenders(self, info: Info) -> list[Recommender]:
        need(info, *VIEW_VERSIONS, "view_trainingrun")
        return recommenders()

    @strawberry.field(description="Of staff: the placements of the shop.", metadata=most(20))
    def placements(self, info: Info) -> list[Placement]:
        need(info, "view_placement")
        return [Placement.of(row) for row in selectors.placements().values()]

    @strawberry.field(description="Of staff: one training; asked for again and again, it tells its progress.")
    def training_run(self, info: Info, id: strawberry.ID) -> TrainingRun:
        need(info, "view_trainingrun")
        return TrainingRun.of(find_run(id))

    @strawberry.field(description="Of staff: two versions of a recommender beside each other.")
    def compare(self, info: Info, version: strawberry.ID, other: strawberry.ID) -> VersionComparison:
        need(info, *VIEW_VERSIONS)
        one, two = find_version(version), find_version(other)
        if one.recommender_id != two.recommender_id:
            raise ApiError("BAD_VALUE", "version and other must be of the same recommender")
        return VersionComparison(
            version=ModelVersion.of(one),
            other=ModelVersion.of(two),
            same_recipe=one.recipe == two.recipe,
            figures=[
                ComparedFigure(section=each.section, metric=each.metric, version=each.version, other=each.other)
                for each in selectors.compared_figures(version=one, other=two)
            ],
        )
