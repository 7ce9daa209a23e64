"""Writes of staff: each translates to the service that the admin calls."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import strawberry
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model

from shop_reco.api.context import Info
from shop_reco.api.errors import ApiError, check
from shop_reco.api.ids import number_of
from shop_reco.api.limits.cost import rows
from shop_reco.api.types import Problem
from shop_reco.recommendations import models, selectors, services
from shop_reco.recommendations.errors import NothingToRollBackError, ReasonMissingError, VersionGoneError
from shop_reco.staff.audit import note, noted
from shop_reco.staff.models import StaffAction

from .permits import need
from .queries import find_run, find_version, recommenders
from .types import (
    ModelVersion,
    Placement,
    PlacementInput,
    PlacementPayload,
    RecommenderKind,
    RecommenderPayload,
    ReviewPayload,
    TrainingPayload,
    TrainingRun,
    Verdict,
    VersionPayload,
)

MOST_REVIEWED = 500
API = StaffAction.Via.API
WENT_LIVE = {"state": [models.ModelVersion.State.RETIRED, models.ModelVersion.State.LIVE]}


@strawberry.type
class StaffMutation:
    @strawberry.mutation(description="Of staff: switch a recommender; effective at the next request of every process.")
    def set_recommender_enabled(self, info: Info, kind: RecommenderKind, enabled: bool) -> RecommenderPayload:
        user = need(info, "change_recommender")
        with _noted(user, "switch", models.Recommender, [kind.value]):
            services.set_enabled(kind=kind.value, enabled=enabled)
        found = next(each for each in recommenders() if each.kind == kind.value)
        return RecommenderPayload(recommender=found, errors=[])

    @strawberry.mutation(description="Of staff: make or change a placement; effective at the next request.")
    def set_placement(self, info: Info, input: PlacementInput) -> PlacementPayload:
        user = need(info, "change_placement", "add_placement")
        check(key=input.key, title=input.title or None)
        try:
            with _noted(user, "change", models.Placement, [input.key]):
                placement = services.set_placement(key=input.key, changes=input.changes())
        except ValidationError as error:
            return PlacementPayload(placement=None, errors=list(_problems(error)))
        return PlacementPayload(placement=Placement.of(placement), errors=[])

    @strawberry.mutation(description="Of staff: queue a training; follow it by trainingRun.")
    def start_training(self, info: Info, kind: RecommenderKind) -> TrainingPayload:
        user = need(info, "add_trainingrun")
        with transaction.atomic():
            run = services.request_training(kind=kind.value, by=user)
            note(by=user, what="train", row=run, via=API)
        return TrainingPayload(run=TrainingRun.of(run), errors=[])

    @strawberry.mutation(description="Of staff: stop a training that waits or runs; what is live stays.")
    def cancel_training(self, info: Info, run: strawberry.ID) -> TrainingPayload:
        user = need(info, "change_trainingrun")
        found = find_run(run)
        with _noted(user, "cancel", models.TrainingRun, [found.pk]):
            services.cancel_run(run=found)
        found.refresh_from_db()
        return TrainingPayload(run=TrainingRun.of(found), errors=[])

    @strawberry.mutation(description="Of staff: make a version serve, whatever the gate said of it.")
    def promote(self, info: Info, version: strawberry.ID, why: str) -> VersionPayload:
        user = need(info, "change_modelversion")
        check(why=why)
        found = find_version(version)
        try:
            with _noted(user, "promote", models.ModelVersion, [found.pk], why):
                services.promote_by_staff(version=found, by=user, why=why)
        except ReasonMissingError as error:
            return VersionPayload(version=None, errors=[Problem(code="BAD_VALUE", field="why", message=str(error))])
        except VersionGoneError as error:
            return VersionPayload(version=None, errors=[Problem(code="GONE", field="version", message=str(error))])
        found.refresh_from_db()
        return VersionPayload(version=ModelVersion.of(found), errors=[])

    @strawberry.mutation(description="Of staff: make the version before the live one serve again.")
    def rollback(self, info: Info, kind: RecommenderKind, why: str = "") -> VersionPayload:
        user = need(info, "change_recommender")
        check(why=why)
        try:
            with transaction.atomic():
                version = services.roll_back(kind=kind.value, by=user, why=why)
                note(by=user, what="go_back", row=version, changes=WENT_LIVE, via=API, why=why)
        except NothingToRollBackError as error:
            return VersionPayload(version=None, errors=[Problem(code="NOTHING", field="kind", message=str(error))])
        return VersionPayload(version=ModelVersion.of(version), errors=[])

    @strawberry.mutation(
        description="Of staff: say what is thought of feedback; what is accepted counts in the next training.",
        metadata=rows("feedback"),
    )
    def review_feedback(self, info: Info, feedback: list[strawberry.ID], verdict: Verdict) -> ReviewPayload:
        user = need(info, "change_feedback")
        if len(feedback) > MOST_REVIEWED:
            raise ApiError("BATCH_TOO_LARGE", f"{len(feedback)} ids; send {MOST_REVIEWED} at most in one call")
        found = selectors.feedback_among(ids=[number_of("Feedback", each) for each in feedback])
        with _noted(user, "review", models.Feedback, [each.pk for each in found]):
            reviewed = services.review_feedback(feedback=found, verdict=verdict.value, by=user)
        return ReviewPayload(reviewed=reviewed, errors=[])


def _noted(user: Any, what: str, model: type[Model], pks: Collection[Any], why: str = "") -> Any:
    return noted(by=user, what=what, model=model, pks=pks, via=API, why=why)


def _problems(error: ValidationError) -> Iterable[Problem]:
    for field, messages in error.message_dict.items():
        head, *rest = field.split("_")
        name = "" if field == "__all__" else head + "".join(each.title() for each in rest)
        for message in messages:
            yield Problem(code="BAD_VALUE", field=name, message=message)
