"""How long things take: each becomes a figure for Prometheus and a span for OpenTelemetry."""

from __future__ import annotations

from contextlib import AbstractContextManager
from contextvars import ContextVar
from functools import cache
from time import perf_counter
from types import TracebackType
from typing import Any, Literal

from . import metrics, spans

Stage = Literal["list", "history", "models", "mask", "rank", "rows", "reasons", "slate"]

_ended: ContextVar[list[tuple[Any, float]] | None] = ContextVar("shop_reco_stages_ended", default=None)
"""The stages of the list in the making that are over: they are counted together, after it, which costs it less."""


class Timed:
    """Measures what is done inside it; may be entered once."""

    __slots__ = ("_attributes", "_name", "_seconds", "_since", "_span")

    def __init__(self, seconds: Any, name: str, attributes: dict[str, str] | None = None) -> None:
        self._seconds, self._name, self._attributes = seconds, name, attributes

    def __enter__(self) -> None:
        self._span = spans.start(self._name, self._attributes or {}) if spans.wanted() else None
        self._since = perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        took = perf_counter() - self._since
        if (ended := _ended.get()) is None:
            self._seconds.observe(took)
        else:
            ended.append((self._seconds, took))
        if self._span is not None:
            spans.end(self._span, kind)


class TimedList(Timed):
    """Measures a list, and counts its stages when it is over."""

    __slots__ = ("_token",)

    def __enter__(self) -> None:
        self._token = _ended.set([])
        super().__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        for seconds, took in _ended.get() or ():
            seconds.observe(took)
        _ended.reset(self._token)


@cache
def _stage(name: str) -> Any:
    return metrics.STAGE_SECONDS.labels(name)


@cache
def _phase(name: str, recommender: str) -> Any:
    return metrics.PHASE_SECONDS.labels(name, recommender)


def stage(name: Stage) -> AbstractContextManager[None]:
    """Measure one stage of a list; ``list`` goes round all the others."""
    return (TimedList if name == "list" else Timed)(_stage(name), name)


def phase(name: str, recommender: str) -> AbstractContextManager[None]:
    """Measure one phase of a training, of the recommender of this kind."""
    return Timed(_phase(name, recommender), f"training.{name}", {"recommender": recommender})
