"""Spans for OpenTelemetry, once whoever runs the shop has set a tracer provider; until then there are none.

Nothing here sends anything: that is up to the exporter of that provider. A span carries the ids of the log lines
(request, task, run) and words of ours; of an error its type alone, since a message may quote a row or a request.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

from structlog.contextvars import get_contextvars

try:
    from opentelemetry import trace
except ImportError:
    trace = None

IDS = ("request_id", "task_id", "run")
Span = tuple[AbstractContextManager[Any], Any]


@lru_cache(maxsize=1)
def _tracer(provider: Any) -> Any:
    return provider.get_tracer("shop_reco")


def wanted() -> bool:
    """Whether somebody traces this process."""
    return trace is not None and type(trace.get_tracer_provider()) is not trace.ProxyTracerProvider


def start(name: str, attributes: dict[str, str]) -> Span:
    """Begin a span inside the current one."""
    told = get_contextvars()
    ids = {f"shop_reco.{key}": str(told[key]) for key in IDS if key in told}
    span = _tracer(trace.get_tracer_provider()).start_as_current_span(
        f"shop_reco.{name}",
        attributes={**ids, **{f"shop_reco.{key}": value for key, value in attributes.items()}},
        record_exception=False,
        set_status_on_exception=False,
    )
    return span, span.__enter__()


def end(span: Span, failure: type[BaseException] | None) -> None:
    manager, begun = span
    if failure is not None:
        begun.set_status(trace.Status(trace.StatusCode.ERROR, failure.__name__))
    manager.__exit__(None, None, None)
