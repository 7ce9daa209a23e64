"""The metrics by name and unit, in a registry of their own: a host's metrics stay what they are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

FOLDER = os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")
"""Where the processes of one web server put their figures together; empty: each has its own."""


class Silent:
    """Stands in for every metric where prometheus-client is not installed."""

    def __init__(self, *declared: Any, **settings: Any) -> None:
        pass

    def labels(self, *values: str) -> Silent:
        return self

    def inc(self, amount: float = 1) -> None:
        pass

    def set(self, value: float) -> None:
        pass

    def observe(self, value: float) -> None:
        pass


if FOLDER:  # prometheus-client opens its files there as soon as a metric is declared
    Path(FOLDER).mkdir(parents=True, exist_ok=True)
else:  # by an empty name it would understand the working directory
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
try:
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
except ImportError:
    registry: Any = None
    Counter = Gauge = Histogram = Silent
else:
    registry = CollectorRegistry()

FAST = (0.0005, 0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.12, 0.25, 1.0, 4.0)
SLOW = (0.1, 1, 10, 30, 60, 300, 900, 3600, 14400)

STAGE_SECONDS = Histogram(
    "shop_reco_stage_seconds",
    "Time of one stage of a list; the stage list is all of it.",
    ["stage"],
    buckets=FAST,
    registry=registry,
)
PHASE_SECONDS = Histogram(
    "shop_reco_training_phase_seconds",
    "Time of one phase of a training.",
    ["phase", "recommender"],
    buckets=SLOW,
    registry=registry,
)
RESPONSE_SECONDS = Histogram(
    "shop_reco_response_seconds",
    "Time until a response begins, by HTTP status.",
    ["status"],
    buckets=FAST,
    registry=registry,
)
SLATE_ITEMS = Histogram(
    "shop_reco_slate_items",
    "Items of a served list.",
    ["strategy"],
    buckets=(0, 1, 2, 4, 6, 10, 15, 20, 30, 50, 100),
    registry=registry,
)
LISTS = Counter(
    "shop_reco_lists", "Served lists by kind and by the rung of the ladder.", ["strategy", "rung"], registry=registry
)
SLATES_WAITING = Gauge(
    "shop_reco_slates_waiting",
    "Served lists that are not written yet.",
    multiprocess_mode="livesum",
    registry=registry,
)
SLATES_LOST = Counter("shop_reco_slates_lost", "Served lists that were never written.", ["why"], registry=registry)
DEGRADED = Gauge(
    "shop_reco_models_degraded",
    "1 while an earlier version stands in for a damaged one in some process.",
    multiprocess_mode="livemax",
    registry=registry,
)
EVENTS = Counter("shop_reco_events", "Events taken in.", ["sender", "outcome"], registry=registry)
EVENTS_REJECTED = Counter(
    "shop_reco_events_rejected", "Events refused, by code.", ["sender", "code"], registry=registry
)
REFUSALS = Counter(
    "shop_reco_refusals", "Requests, or fields of a document, that were refused.", ["code"], registry=registry
)
HINTS_LOST = Counter("shop_reco_hints_lost", "Hints that no broker took; a sweep makes up for each.", registry=registry)
