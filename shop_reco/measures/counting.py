"""What happened, counted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

from . import metrics

_CODE = re.compile(r"[A-Z][A-Z_]{1,31}")


@cache
def _of(metric: Any, *labels: str) -> Any:
    return metric.labels(*labels)


def _code(code: str) -> str:
    """A code of ours; whatever else comes in its place is no label."""
    return code if _CODE.fullmatch(code) else "OTHER"


def list_served(*, strategy: str, rung: str, n_items: int) -> None:
    _of(metrics.LISTS, strategy, rung).inc()
    _of(metrics.SLATE_ITEMS, strategy).observe(n_items)


def slates_waiting(n: int) -> None:
    """How many served lists this process has yet to write."""
    metrics.SLATES_WAITING.set(n)


def slates_lost(n: int, *, why: str) -> None:
    """``why`` is a word of ours: full, database."""
    _of(metrics.SLATES_LOST, why).inc(n)


def models_loaded(*, degraded: bool) -> None:
    """This process has taken up the live versions, or an earlier one in place of a damaged one."""
    metrics.DEGRADED.set(float(degraded))


def events_judged(*, sender: str, accepted: int, duplicates: int, rejected: Iterable[str]) -> None:
    """What became of a batch; ``rejected`` has the code of each event that was."""
    if accepted:
        _of(metrics.EVENTS, sender, "accepted").inc(accepted)
    if duplicates:
        _of(metrics.EVENTS, sender, "duplicate").inc(duplicates)
    for code in rejected:
        _of(metrics.EVENTS, sender, "rejected").inc()
        _of(metrics.EVENTS_REJECTED, sender, _code(code)).inc()


def refused(code: str) -> None:
    """A request, or a field of a document, was answered by this code."""
    _of(metrics.REFUSALS, _code(code)).inc()


def answered(*, status: int, seconds: float) -> None:
    _of(metrics.RESPONSE_SECONDS, str(status)).observe(seconds)


def hint_lost() -> None:
    metrics.HINTS_LOST.inc()
