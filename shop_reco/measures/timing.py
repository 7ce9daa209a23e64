"""How long things take: each becomes a figure for Prometheus and a span for OpenTelemetry."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache
from time import perf_counter
from types import TracebackType
from typing import Any, Literal

from . import metrics, spans

Stage = Literal["list", "history", "models", "mask", "rank", "rows", "reasons", "slate"]


class Timed:
    """Measures what is done inside it; may be entered once."""

    __slots__ = ("_attributes", "_name", "_seconds", "_since", "_span")

    def __init__(self, seconds: Any, name: str, attributes: dict[str, str]) -> None:
        self._seconds, self._name, self._attributes = seconds, name, attributes

    def __enter__(self) -> None:
        self._span = spans.start(self._name, self._attributes)
        self._since = perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._seconds.observe(perf_counter() - self._since)
        if self._span is not None:
            spans.end(self._span, kind)


@cache
def _stage(name: str) -> Any:
    return metrics.STAGE_SECONDS.labels(name)


@cache
def _phase(name: str, recommender: str) -> Any:
    return metrics.PHASE_SECONDS.labels(name, recommender)


def stage(name: Stage) -> AbstractContextManager[None]:
    """Measure one stage of a list; ``list`` goes round all the others."""
    return Timed(_stage(name), name, {})


def phase(name: str, recommender: str) -> AbstractContextManager[None]:
    """Measure one phase of a training, of the recommender of this kind."""
    return Timed(_phase(name, recommender), f"training.{name}", {"recommender": recommender})
