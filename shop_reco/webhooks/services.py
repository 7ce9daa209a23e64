"""What can happen to what a source delivers."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError, transaction
from django.db.models import F
from django.utils import timezone

from shop_reco.conf import reco_settings

from . import generic, shopify, woocommerce
from .carrying import carry_out
from .forgetting import customers_in
from .models import WebhookDelivery, WebhookSource
from .reports import Report
from .sealing import UnreadableSecretError, unseal
from .selectors import followable, shoppers_named
from .signatures import Envelope, RefusalError, believed, in_time, opened
from .work import MappingError, Origin, slim

logger = structlog.get_logger(__name__)
BAD_PAYLOAD = "BAD_PAYLOAD"
State, Kind = WebhookDelivery.State, WebhookSource.Kind
MAPPINGS: Mapping[str, Any] = {Kind.GENERIC: generic, Kind.SHOPIFY: shopify, Kind.WOOCOMMERCE: woocommerce}


class RepeatedError(Exception):
    """A request to erase was carried out before, in the very same words."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender is told."""

    status: int
    content: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of a source's address, as it came."""

    headers: Mapping[str, str]
    body: bytes
    media_type: str


def receive(*, source: WebhookSource, call: Call) -> Answer:
    """Believe, read and carry out a call; the same delivery again changes nothing and is counted.

    A sender tries again after any answer but a 2xx, and some end the webhook after a few. So what was believed
    and cannot be used is kept for staff and answered 202; 503 asks for another try.
    """
    try:
        envelope, payload = _believed(source, call)
    except RefusalError as error:
        return refuse(source=source, call=call, error=error)
    topic = _topic(source, envelope, payload)
    delivery_id, digest = envelope.delivery_id, hashlib.sha256(call.body).hexdigest()
    forget_old_deliveries(source=source)
    if topic not in MAPPINGS[source.kind].SHAPES:
        return _ignored(source, delivery_id, topic, digest)
    try:
        # from here on there is nothing of a person but what a mapping reads: the shop's own id
        return _handled(source, envelope, topic, digest, slim(payload, MAPPINGS[source.kind].SHAPES[topic]))
    except RefusalError as error:
        return refuse(source=source, call=call, error=error)


def _believed(source: WebhookSource, call: Call) -> tuple[Envelope, Any]:
    """Raises RefusalError."""
    reco = reco_settings()
    if not source.enabled:
        raise RefusalError(401, "DISABLED", "this source is disabled")
    if len(call.body) > reco.WEBHOOK_BYTES:
        raise RefusalError(413, "TOO_LARGE", f"the body may have {reco.WEBHOOK_BYTES} bytes at most")
    envelope = opened(source.kind, call.headers, call.body)
    if not believed(envelope, _secrets(source)):
        raise RefusalError(401, "BAD_SIGNATURE", "the signature does not fit the body")
    if not in_time(source.kind, envelope, reco):
        raise RefusalError(401, "BAD_TIME", "the delivery is too old, or its clock is wrong")
    if call.media_type != "application/json":
        raise RefusalError(415, "MEDIA_TYPE", "Content-Type must be application/json")
    try:
        payload = json.loads(call.body, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise RefusalError(400, "BAD_BODY", "the body is no JSON document") from None
    if not isinstance(payload, dict):
        raise RefusalError(400, "BAD_BODY", "the body must be a JSON object")
    return envelope, payload


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _secrets(source: WebhookSource) -> list[str]:
    try:
        return [unseal(sealed) for sealed in (source.secret, source.previous_secret) if sealed]
    except UnreadableSecretError:
        logger.error("webhook_secret_unreadable", source=source.key)
        raise RefusalError(503, "SECRET", "the secret cannot be read here; it must be set anew") from None


def _topic(source: WebhookSource, envelope: Envelope, payload: Any) -> str:
    """The generic scheme has it in the body, under the signature."""
    if source.kind != Kind.GENERIC:
        return envelope.topic[:64]
    topic = payload.get("topic")
    return topic[:64].encode(errors="replace").decode().replace("\x00", "?") if isinstance(topic, str) else ""


def _handled(source: WebhookSource, envelope: Envelope, topic: str, digest: str, payload: Any) -> Answer:
    """Carry a believed delivery out, once.

    What has no date of its own is as old as the delivery: Shopify says when that was sent, and of the others
    the first arrival counts, not a later try.

    Raises:
        RefusalError: If another body came under this id before.
    """
    delivery_id = envelope.delivery_id
    try:
        with transaction.atomic():
            delivery = _claimed(source, delivery_id, topic, digest)
            if delivery.state in (State.DONE, State.IGNORED):
                return _repeated(delivery)
            said = envelope.sent_at if source.kind == Kind.SHOPIFY else None
            if _asked_before(source, topic, digest, payload):
                raise RepeatedError
            report = _worked(source, topic, payload, said or delivery.received_at)
            return _finished(delivery, report, payload)
    except (RefusalError, DatabaseError):
        raise
    except MappingError as error:
        return _failed(source, delivery_id, topic, digest, payload, BAD_PAYLOAD, str(error))
    except RepeatedError:
        why = "this very request was carried out before; try it again here if the customer asked again"
        return _failed(source, delivery_id, topic, digest, payload, "REPEATED", why)
    except Exception as error:  # a mapping that met what it did not foresee must not lose the delivery
        logger.error("webhook_failed", source=source.key, topic=topic, error=type(error).__name__)
        return _failed(source, delivery_id, topic, digest, payload, "INTERNAL", type(error).__name__)


def _asked_before(source: WebhookSource, topic: str, digest: str, payload: Any) -> bool:
    """Whether a request to erase somebody who is known here was carried out before, in the very same words.

    Shopify signs the body alone, so whoever saw it pass could deliver it anew under another id and time.
    """
    if topic not in shopify.ERASING:
        return False
    done = WebhookDelivery.objects.filter(source=source, topic=topic, digest=digest, state=State.DONE)
    names = [source.prefix + name for name in customers_in(payload)]
    return done.exists() and bool(shoppers_named(names=names))


def _claimed(source: WebhookSource, delivery_id: str, topic: str, digest: str) -> WebhookDelivery:
    """The one row of a delivery, locked; whoever comes second waits here and finds it done."""
    believed_ones = WebhookDelivery.objects.exclude(state=State.REFUSED)
    delivery, fresh = believed_ones.get_or_create(
        source=source,
        delivery_id=delivery_id,
        defaults={"topic": topic, "digest": digest, "received_at": timezone.now()},
    )
    if not fresh:
        delivery = believed_ones.select_for_update().get(pk=delivery.pk)
        if delivery.digest != digest:
            raise RefusalError(422, "CONFLICT", "another body was delivered under this id")
    return delivery


def _repeated(delivery: WebhookDelivery) -> Answer:
    WebhookDelivery.objects.filter(pk=delivery.pk).update(repeats=F("repeats") + 1)
    return Answer(200, {"state": "duplicate", "report": delivery.report})


def _worked(source: WebhookSource, topic: str, payload: Any, sent_at: dt.datetime) -> Report:
    work = MAPPINGS[source.kind].read(topic, payload, _origin(source), sent_at=sent_at)
    return carry_out(source=source, work=work)


def _origin(source: WebhookSource) -> Origin:
    return Origin(
        key=source.key,
        prefix=source.prefix,
        currency=source.currency,
        time_zone=ZoneInfo(source.time_zone or reco_settings().SHOP_TIME_ZONE),
    )


def _finished(delivery: WebhookDelivery, report: Report, payload: Any) -> Answer:
    """Note what came of it; rows that need mending keep the payload, so that staff can have it done again."""
    problems = [
        {"index": each.index, "sku": each.sku, "code": each.code, "field": each.field, "message": each.message}
        for each in report.rejected[:20]
    ]
    delivery.report = {"counts": {name: n for name, n in report.counts.items() if n}} | (
        {"rejected": problems} if problems else {}
    )
    delivery.state = State.FAILED if report.rejected else State.DONE
    delivery.code, delivery.why = "", ""
    if report.rejected:
        first = report.rejected[0]
        delivery.code, delivery.why = first.code, f"{first.field} of {first.sku} {first.message}"[:512]
    elif report.refused:
        delivery.code, delivery.why = report.refused[0][0], report.refused[0][1][:512]
    delivery.payload = _kept(payload) if report.rejected else None
    delivery.handled_at = timezone.now()
    delivery.save()
    return Answer(202 if report.rejected else 200, {"state": str(delivery.state), "report": delivery.report})


def _failed(
    source: WebhookSource, delivery_id: str, topic: str, digest: str, payload: Any, code: str, why: str
) -> Answer:
    with transaction.atomic():
        delivery = _claimed(source, delivery_id, topic, digest)
        if delivery.state in (State.DONE, State.IGNORED):
            return _repeated(delivery)
        delivery.code, delivery.why, delivery.handled_at = code, why[:512], timezone.now()
        delivery.payload = _kept_of(source, topic, payload, code)
        delivery.save()
    return Answer(202, {"state": "failed", "code": code, "message": why})


def _ignored(source: WebhookSource, delivery_id: str, topic: str, digest: str) -> Answer:
    with transaction.atomic():
        delivery = _claimed(source, delivery_id, topic, digest)
        if delivery.handled_at is not None:
            return _repeated(delivery)
        delivery.state, delivery.code, delivery.handled_at = State.IGNORED, "UNKNOWN_TOPIC", timezone.now()
        delivery.save()
    return Answer(200, {"state": "ignored"})


def _kept_of(source: WebhookSource, topic: str, payload: Any, code: str) -> Any:
    """The payload, or None where it is about somebody who may not be followed: then only the why is kept.

    Who asks to be erased is known by the request alone until that is done.
    """
    kept = _kept(payload)
    if topic in shopify.ERASING and code != BAD_PAYLOAD:
        return kept
    people = customers_in(kept)
    allowed = followable(source=source, names={source.prefix + name for name in people})
    return kept if len(allowed) == len(people) else None


def _kept(payload: Any) -> Any:
    """The payload as every database can keep it."""
    written = json.dumps(payload, cls=DjangoJSONEncoder, ensure_ascii=False)
    return json.loads(written.encode(errors="replace").decode().replace("\\u0000", "\\ufffd"))


def refuse(*, source: WebhookSource, call: Call, error: RefusalError) -> Answer:
    """Note a call that was not believed or not read, without any of its body; the newest are kept."""
    ids = ("X-Reco-Delivery", "X-Shopify-Webhook-Id", "X-WC-Webhook-Delivery-ID")
    topics = ("X-Shopify-Topic", "X-WC-Webhook-Topic")
    with transaction.atomic():
        refused = WebhookDelivery.objects.filter(source=source, state=State.REFUSED)
        most = reco_settings().WEBHOOK_REFUSALS
        # one in excess is the usual case; more are left by a lowered setting
        over = list(refused.order_by("-received_at", "-pk").values_list("pk", flat=True)[most - 1 : most + 99])
        WebhookDelivery.objects.filter(pk__in=over).delete()
        WebhookDelivery.objects.create(
            source=source,
            delivery_id=_said(call, ids, 160),
            topic=_said(call, topics, 64),
            state=State.REFUSED,
            code=error.code,
            why=error.message,
            received_at=timezone.now(),
            handled_at=timezone.now(),
        )
    logger.warning("webhook_refused", source=source.key, code=error.code)
    return Answer(error.status, {"state": "refused", "code": error.code, "message": error.message})


def _said(call: Call, names: Collection[str], most: int) -> str:
    text = next((call.headers[name] for name in names if name in call.headers), "")
    return "".join(each for each in text if each.isascii() and each.isprintable())[:most]


def replay_delivery(*, delivery: WebhookDelivery) -> Answer:
    """Try a failed delivery once more, after whatever was wrong with it has been mended."""
    source = delivery.source
    try:
        with transaction.atomic():
            locked = WebhookDelivery.objects.select_for_update().select_related("source").get(pk=delivery.pk)
            if locked.state != State.FAILED or locked.payload is None:
                return Answer(200, {"state": str(locked.state)})
            return _finished(locked, _worked(source, locked.topic, locked.payload, locked.received_at), locked.payload)
    except MappingError as error:
        code, why = BAD_PAYLOAD, str(error)[:512]
    except DatabaseError:
        raise
    except Exception as error:  # as above: one that cannot be mended must not stop the others
        code, why = "INTERNAL", type(error).__name__
    WebhookDelivery.objects.filter(pk=delivery.pk).update(code=code, why=why, handled_at=timezone.now())
    return Answer(202, {"state": "failed", "code": code, "message": why})


def forget_old_deliveries(*, source: WebhookSource | None = None, limit: int = 100) -> int:
    """Drop deliveries older than WEBHOOK_DAYS, at most ``limit``; returns how many."""
    old = WebhookDelivery.objects.filter(
        received_at__lt=timezone.now() - dt.timedelta(days=reco_settings().WEBHOOK_DAYS)
    )
    if source is not None:
        old = old.filter(source=source)
    keys = list(old.order_by("received_at").values_list("pk", flat=True)[:limit])
    return WebhookDelivery.objects.filter(pk__in=keys).delete()[0] if keys else 0
