"""The state of the shop in figures; whatever the number of rows, a fixed number of queries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.core.cache import cache
from django.db.models import Count, Exists, F, Max, OuterRef, Q, Sum
from django.db.models.functions import Greatest
from django.utils import timezone

from shop_reco.conf import reco_settings
from shop_reco.events.models import DirtyShopper, Event, StreamPosition
from shop_reco.measures import Figure
from shop_reco.recommendations.models import ModelVersion, TrainingRun
from shop_reco.users.models import Consent
from shop_reco.users.selectors import all_consenting, last_refusal

KEPT = 300  # seconds that the count of events is kept, since it scans a long table
ENDED = (TrainingRun.State.DONE, TrainingRun.State.FAILED, TrainingRun.State.CANCELLED)


GRAIN = dt.timedelta(milliseconds=1)
"""What a training reads of times: its newest event may lie so much after the watermark."""


@dataclass(frozen=True, slots=True)
class Live:
    """A live version: when it began to serve, and its newest event."""

    recommender: str
    since: dt.datetime
    watermark: dt.datetime | None


def shop_figures() -> list[Figure]:
    """All of them; eight queries, and one of them once in five minutes."""
    now, live = timezone.now(), _live()
    return [*_staleness(live, now), *_training(now), _dirty_shoppers(), *_streams(now), *_beat(now)]


def _live() -> list[Live]:
    found = ModelVersion.objects.filter(state=ModelVersion.State.LIVE).order_by("recommender")
    rows = found.values_list("recommender_id", "promoted_at", "created_at", "watermark")
    return [Live(kind, promoted or created, watermark) for kind, promoted, created, watermark in rows]


def _staleness(live: Sequence[Live], now: dt.datetime) -> list[Figure]:
    dated = {each.recommender: each.watermark for each in live if each.watermark is not None}
    by = ("recommender",)
    return [
        Figure(
            "shop_reco_version_age_seconds",
            "Since the live version began to serve.",
            by,
            [((each.recommender,), (now - each.since).total_seconds()) for each in live],
        ),
        Figure(
            "shop_reco_version_data_age_seconds",
            "Since the newest event that the live version learnt from.",
            by,
            [((kind,), (now - watermark).total_seconds()) for kind, watermark in dated.items()],
        ),
        Figure(
            "shop_reco_events_not_learnt",
            "Events after that one; counted once in five minutes.",
            by,
            [((kind,), float(n)) for kind, n in _not_learnt(dated).items()],
        ),
    ]


def _not_learnt(watermarks: dict[str, dt.datetime]) -> dict[str, int]:
    """Events that a training may use and that are newer than each live version's newest; two queries at most."""
    if not watermarks:
        return {}
    # A withdrawal makes another key, so that no count is kept that has whoever withdrew in it.
    newest = max(watermarks.values())
    key = f"shop_reco.not_learnt.{last_refusal(purpose=Consent.Purpose.TRAINING)}.{newest.timestamp():.0f}"
    counted: dict[str, int] | None = cache.get(key)
    if counted is None:
        used = [kind for kind, weight in reco_settings().EVENT_WEIGHTS.items() if weight]
        events = Event.objects.filter(
            occurred_at__gt=min(watermarks.values()) + GRAIN,
            type__in=used,
            shopper__in=all_consenting(purpose=Consent.Purpose.TRAINING),
        )
        counted = events.aggregate(
            **{kind: Count("pk", filter=Q(occurred_at__gt=watermark + GRAIN)) for kind, watermark in watermarks.items()}
        )
        cache.set(key, counted, KEPT)
    return {kind: n for kind, n in counted.items() if kind in watermarks}


MOST = 10_000
"""News beyond which a page does not count on."""


def news(*, watermarks: Mapping[str, dt.datetime]) -> dict[str, int]:
    """Events that a training may use and that came after each moment, MOST and one at most; one query.

    It reads the newest events alone, along the index of times: nothing is kept that a withdrawal would change.
    """
    if not watermarks:
        return {}
    used = [kind for kind, weight in reco_settings().EVENT_WEIGHTS.items() if weight]
    allowed = all_consenting(purpose=Consent.Purpose.TRAINING).filter(shopper=OuterRef("shopper"))
    found = Event.objects.filter(Exists(allowed), occurred_at__gt=min(watermarks.values()) + GRAIN, type__in=used)
    times = list(found.order_by("-occurred_at", "-id").values_list("occurred_at", flat=True)[: MOST + 1])
    return {name: sum(at > watermark + GRAIN for at in times) for name, watermark in watermarks.items()}


def _training(now: dt.datetime) -> list[Figure]:
    unfinished = list(
        TrainingRun.objects.exclude(state__in=ENDED)
        .order_by("recommender")
        .values_list("recommender_id", "state", "phase", "progress", "lease_until")
    )
    ended = TrainingRun.objects.filter(state__in=ENDED, finished_at__isnull=False).order_by("recommender", "state")
    last = ended.values_list("recommender_id", "state").annotate(at=Max("finished_at"))
    running = [each for each in unfinished if each[1] == TrainingRun.State.RUNNING]
    return [
        Figure(
            "shop_reco_runs_unfinished",
            "Training runs that wait or run.",
            ("recommender", "state"),
            [((kind, state), 1.0) for kind, state, *_rest in unfinished],
        ),
        Figure(
            "shop_reco_run_progress",
            "How far the running training is, 0 to 1.",
            ("recommender", "phase"),
            [((kind, phase or "starting"), progress) for kind, _state, phase, progress, _lease in running],
        ),
        Figure(
            "shop_reco_run_lease_seconds",
            "What is left of the running training's lease; below 0 its worker is dead.",
            ("recommender",),
            [((kind,), (lease - now).total_seconds()) for kind, _state, _phase, _progress, lease in running if lease],
        ),
        Figure(
            "shop_reco_last_run_age_seconds",
            "Since the last training that ended so.",
            ("recommender", "state"),
            [((kind, state), (now - at).total_seconds()) for kind, state, at in last],
        ),
    ]


def _dirty_shoppers() -> Figure:
    n = DirtyShopper.objects.count()
    return Figure("shop_reco_dirty_shoppers", "Shoppers whose portrait waits to be drawn anew.", (), [((), float(n))])


def _streams(now: dt.datetime) -> list[Figure]:
    """What consumers of streams have noted; of a topic all partitions together."""
    rows = StreamPosition.objects.order_by("topic").values_list("topic")
    found = rows.annotate(
        lag=Sum(Greatest(F("end_offset") - F("next_offset"), 0)),
        new=Sum("new"), duplicate=Sum("duplicates"), rejected=Sum("rejected"), seen=Max("seen_at"),
    )  # fmt: skip
    topics = [(topic, lag, (new, again, bad), seen) for topic, lag, new, again, bad, seen in found]
    outcomes = ("accepted", "duplicate", "rejected")
    return [
        Figure(
            "shop_reco_stream_lag",
            "Messages that a topic has and its consumers have not read, as they saw it last.",
            ("topic",),
            [((topic,), float(lag)) for topic, lag, _counts, _seen in topics],
        ),
        Figure(
            "shop_reco_stream_silent_seconds",
            "Since a consumer of the topic was last at work; it says so every ten seconds.",
            ("topic",),
            [((topic,), (now - seen).total_seconds()) for topic, _lag, _counts, seen in topics],
        ),
        Figure(
            "shop_reco_stream_messages",
            "Messages that were read, ever.",
            ("topic", "outcome"),
            [
                ((topic, outcome), float(n))
                for topic, _lag, counts, _seen in topics
                for outcome, n in zip(outcomes, counts, strict=True)
            ],
        ),
    ]


def last_published() -> dt.datetime | None:
    """When beat last published a task of those that are on, as it noted some minutes later; None: never."""
    tasks: Any = apps.get_model("django_celery_beat.PeriodicTask")._default_manager
    last: dt.datetime | None = tasks.filter(enabled=True).aggregate(last=Max("last_run_at"))["last"]
    return last


def _beat(now: dt.datetime) -> list[Figure]:
    if not apps.is_installed("django_celery_beat"):  # whatever calls the tasks there is not known
        return []
    last = last_published()
    ages = [] if last is None else [((), (now - last).total_seconds())]
    meaning = "Since beat last published a task; it notes their times every three minutes."
    return [Figure("shop_reco_beat_silent_seconds", meaning, (), ages)]
