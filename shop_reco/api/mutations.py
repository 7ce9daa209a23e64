"""Writes: each translates to one call of a service."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from enum import Enum
from typing import Any, cast

import strawberry
from django.urls import reverse

from shop_reco.events.errors import BatchTooLargeError
from shop_reco.events.services import Sender, record_events
from shop_reco.portraits.reading import portrait_of
from shop_reco.portraits.services import edit_interests
from shop_reco.privacy.errors import ShopperGoneError
from shop_reco.privacy.exports import request_export
from shop_reco.privacy.services import erase_shopper
from shop_reco.privacy.sessions import forget_in
from shop_reco.recommendations.services import give_feedback, withdraw_feedback
from shop_reco.recommendations.serving.slates import own_slate
from shop_reco.users.models import Consent, Shopper
from shop_reco.users.selectors import linked_ids, links_of, statement_shown
from shop_reco.users.services import Shown, decide_consent, undo_link

from .context import Info
from .errors import ApiError, check, gone, unless_gone
from .ids import public_id_of
from .limits.cost import rows
from .lists import find_product
from .portrait_types import InterestsInput, Portrait, PortraitPayload
from .queries import consent_states, links
from .types import (
    ConsentInput,
    ConsentPayload,
    ErasePayload,
    EventInput,
    EventRejection,
    ExportPayload,
    FeedbackInput,
    FeedbackPayload,
    LinksPayload,
    Problem,
    TrackEventsPayload,
)

EVENTS, PRIVACY = "events:write", "privacy:admin"
STRANGER = Problem(code="CONSENT_REQUIRED", field="", message="nothing is kept of a stranger; consent comes first")


@strawberry.type
class Mutation:
    @strawberry.mutation(
        description="Report what shoppers did; good events beside bad ones are kept.", metadata=rows("events")
    )
    def track_events(self, info: Info, events: list[EventInput]) -> TrackEventsPayload:
        info.context.need(EVENTS)
        sender = Sender.SERVER if info.context.identity.key else Sender.BROWSER
        shopper = info.context.shopper
        try:
            with unless_gone(shopper):
                raw = [_raw(event) for event in cast("list[Mapping[str, Any]]", events)]
                outcome = record_events(events=raw, shopper=shopper, sender=sender)
        except BatchTooLargeError as error:
            raise ApiError("BATCH_TOO_LARGE", str(error)) from None
        return TrackEventsPayload(
            accepted=outcome.accepted,
            duplicates=outcome.duplicates,
            rejected=[EventRejection(index=r.index, code=r.code, message=r.message) for r in outcome.rejected],
        )

    @strawberry.mutation(description="Say something about a recommended product; it counts in the next list.")
    def give_feedback(self, info: Info, input: FeedbackInput) -> FeedbackPayload:
        info.context.need(EVENTS)
        if info.context.shopper is None:
            return FeedbackPayload(ok=False, errors=[STRANGER])
        product = find_product(input.product)
        slate_id = _uuid(input.slate_id)
        if input.slate_id is not None and slate_id is None:
            problem = Problem(code="BAD_ID", field="slateId", message="slateId must be a UUID")
            return FeedbackPayload(ok=False, errors=[problem])
        shopper = info.context.shopper
        with unless_gone(shopper):
            give_feedback(
                shopper=shopper, product=product, kind=str(input.kind.value), slate_id=_own_slate(shopper, slate_id)
            )
        return FeedbackPayload(ok=True, errors=[])

    @strawberry.mutation(description="Take back what was said of a product; what was never said is taken back as well.")
    def withdraw_feedback(self, info: Info, input: FeedbackInput) -> FeedbackPayload:
        info.context.need(EVENTS)
        if info.context.shopper is None:
            return FeedbackPayload(ok=False, errors=[STRANGER])
        product = find_product(input.product)
        withdraw_feedback(shopper=info.context.shopper, product=product, kind=str(input.kind.value))
        return FeedbackPayload(ok=True, errors=[])

    @strawberry.mutation(description="Allow or withdraw; effective at the next request.")
    def update_consent(self, info: Info, input: ConsentInput) -> ConsentPayload:
        info.context.need(EVENTS)
        given = {name: getattr(input, name) for name in Consent.Purpose.values}
        decisions = {name: value for name, value in given.items() if value is not None}
        identity = info.context.identity
        if identity.shopper is None and identity.key is not None:
            raise ApiError("SHOPPER_REQUIRED", "name the shopper whose consent this is in X-Shopper")
        shown = {str(each.purpose.value): Shown(each.version, each.language) for each in input.shown or []}
        for purpose, each in shown.items():
            check(version=each.version, language=each.language)
            if statement_shown(purpose=purpose, version=each.version, language=each.language) is None:
                problem = Problem(code="UNKNOWN_VERSION", field="shown", message=f"no such statement on {purpose}")
                return ConsentPayload(consents=consent_states(identity.shopper), errors=[problem])
        if any(decisions.values()):
            identity.become_known()
        if identity.shopper is not None:
            with unless_gone(identity.shopper):
                decide_consent(
                    shopper=identity.shopper,
                    decisions=decisions,
                    source="server" if identity.key else "shop",
                    shown=shown,
                )
        return ConsentPayload(consents=consent_states(identity.shopper), errors=[])

    @strawberry.mutation(description="Part visits from before a sign-in from this shopper again; nothing is deleted.")
    def undo_link(self, info: Info, link: strawberry.ID) -> LinksPayload:
        info.context.need(EVENTS)
        shopper = info.context.shopper
        visitor = public_id_of("VisitorLink", link)
        found = [row for row in links_of(account=shopper) if row.visitor.public_id == visitor] if shopper else []
        for row in found:
            undo_link(link=row)
        problem = Problem(code="NOT_FOUND", field="link", message="this shopper has no such link")
        return LinksPayload(links=links(shopper), errors=[] if found else [problem])

    @strawberry.mutation
    def edit_interests(self, info: Info, input: InterestsInput) -> PortraitPayload:
        info.context.need(EVENTS)
        shopper = info.context.shopper
        if shopper is None:
            return PortraitPayload(portrait=None, errors=[STRANGER])
        keys = {field: input.keys(field) for field in ("pin", "block", "hide", "clear")}
        for kind, key in (pair for pairs in keys.values() for pair in pairs):
            check(kind=kind, key=key)
        try:
            with unless_gone(shopper):
                edit_interests(shopper=shopper, **keys)
        except ValueError as error:
            problem = Problem(code="BAD_FIELD", field="kind", message=str(error))
            return PortraitPayload(portrait=None, errors=[problem])
        view = portrait_of(shopper=shopper)
        return PortraitPayload(portrait=Portrait.of(view) if view else None, errors=[])

    @strawberry.mutation(description="Make a file of all that is known of this shopper; an earlier link ends.")
    def export_my_data(self, info: Info) -> ExportPayload:
        info.context.need(PRIVACY)
        shopper = info.context.shopper
        if shopper is None:
            return ExportPayload(url=None, ready=False, errors=[STRANGER])
        with unless_gone(shopper):
            export, token = request_export(shopper=shopper)
        url = info.context.request.build_absolute_uri(reverse("shop_reco_api:export", args=[token]))
        return ExportPayload(url=url, ready=export.ready_at is not None, errors=[], made=export)

    @strawberry.mutation(description="Delete all that is known of this shopper.")
    def erase_me(self, info: Info, confirm: bool) -> ErasePayload:
        info.context.need(PRIVACY)
        identity = info.context.identity
        if identity.shopper is None:
            return ErasePayload(receipt=None, receipt_url=None, errors=[STRANGER])
        if not confirm:
            problem = Problem(code="NOT_CONFIRMED", field="confirm", message="confirm must be true")
            return ErasePayload(receipt=None, receipt_url=None, errors=[problem])
        shopper, identity.shopper, identity.forget = identity.shopper, None, True
        try:
            receipt = erase_shopper(shopper=shopper)
        except ShopperGoneError:
            raise gone() from None
        request = info.context.request
        if identity.key is None and hasattr(request, "session"):
            forget_in(request.session)
        url = request.build_absolute_uri(reverse("shop_reco_api:receipt", args=[receipt.public_id]))
        return ErasePayload(receipt=strawberry.ID(str(receipt.public_id)), receipt_url=url, errors=[])


def _own_slate(shopper: Shopper, slate_id: uuid.UUID | None) -> uuid.UUID | None:
    """The id, unless no such list is known or it was served to someone else."""
    if slate_id is None or own_slate(slate_id=slate_id, shopper_ids=linked_ids(shopper=shopper)) is None:
        return None
    return slate_id


def _uuid(value: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(value) if value else None
    except ValueError:
        return None


def _raw(event: Mapping[str, Any]) -> dict[str, Any]:
    """The event by our own names; a variable in place of a single field has been read already."""
    said = {name: value for name, value in event.items() if value is not None}
    raw = {name: value.value if isinstance(value, Enum) else value for name, value in said.items()}
    if (product := raw.get("product")) is not None:
        try:
            raw["product"] = public_id_of("Product", product)
        except ApiError:
            raw["product"] = "not the id of a product"
    return raw
