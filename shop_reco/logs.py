"""Log lines that name nobody: what a person typed, sent or is called never gets into one.

Lines of our own say what happened in words of ours, with numbers and public ids. Of other packages' lines only
those of ``TRUSTED`` are filled in; of the rest the bare template is kept, since whatever a request held may be
among its values. An exception keeps its type and where it came from; its message may quote a row or a request.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Iterator, MutableMapping, Sequence
from types import TracebackType
from typing import Any

import structlog

TRUSTED = frozenset(
    {"shop_reco", "reco_engine", "celery", "kombu", "amqp", "granian", "_granian", "django_celery_beat"}
)
"""Packages whose lines say what they do, and not what they do it with."""

WITHHELD = frozenset({"args", "kwargs", "exc", "traceback", "return_value", "hostname"})
"""Of a line about a Celery task: what came from the task's own code."""

MASK = "[withheld]"
_PERSONAL = re.compile(
    r"(?P<login>(?<=://)[^\s/:@]*:[^\s/@]+(?=@))"
    r"|(?P<email>[^\s@\"'<>=:;,()]+@[^\s@\"'<>;,()]+\.[^\s@\"'<>;,()]+)"
    r"|(?P<key>\b[0-9a-f]{12}\.[A-Za-z0-9_-]{20,})"
    r"|(?P<bearer>\b(?:[Bb]earer|[Bb]asic)\s+\S+)"
    r"|(?P<phone>(?<![\w.:-])\+\d[\d\s().-]{6,}\d)"
)
EventDict = MutableMapping[str, Any]


STAMPED: Sequence[Any] = (
    structlog.contextvars.merge_contextvars,  # the ids of the request, the task and the run
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def json_lines() -> structlog.stdlib.ProcessorFormatter:
    """What makes one JSON object of each line, for the ``()`` of a logging configuration."""
    return structlog.stdlib.ProcessorFormatter(
        use_get_message=False,  # foreign_line fills in what may be told
        pass_foreign_args=True,
        foreign_pre_chain=[*STAMPED, foreign_line, told_exception],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            without_personal,
            structlog.processors.JSONRenderer(),
        ],
    )


def masked(text: str) -> str:
    """The text without e-mail addresses, phone numbers, keys and passwords of addresses; a net below all else."""
    return _PERSONAL.sub(MASK, text)


def foreign_line(logger: Any, method: str, line: EventDict) -> EventDict:
    """Reduce a line that another package wrote to what it may say; its values come as ``positional_args``."""
    record, values = line["_record"], line.pop("positional_args", None)
    template = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
    if record.name.partition(".")[0] in TRUSTED:
        line["event"] = _filled(template, values)
    elif not values:  # ready-made: what is ours in it and what is a person's cannot be told apart
        line["event"] = f"{record.module}.{record.funcName}"
    else:
        line["event"] = template
    if isinstance(status := getattr(record, "status_code", None), int):
        line["status"] = status
    return line


def of_no_flood(record: logging.LogRecord) -> bool:
    """Whether Django may tell of a request: one refused for coming too often is counted and leaves no line."""
    return getattr(record, "status_code", None) != 429


def _filled(template: str, values: Any) -> str:
    if not values:
        return template
    if isinstance(values, dict):
        values = {name: MASK if name in WITHHELD else _named(value) for name, value in values.items()}
    else:
        values = tuple(map(_named, values))
    try:
        return template % values
    except (TypeError, ValueError, KeyError):
        return template


def _named(value: Any) -> Any:
    return type(value).__name__ if isinstance(value, BaseException) else value


def told_exception(logger: Any, method: str, line: EventDict) -> EventDict:
    """Replace ``exc_info`` by the exception's type and places, its causes first; never its message or a local."""
    given = line.pop("exc_info", None)
    if given is True or isinstance(given, BaseException | tuple):
        line["exception"] = "\n".join(_told(_exception(given)))
    line.pop("stack_info", None)
    return line


def _exception(given: Any) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    return given[1] if isinstance(given, tuple) else sys.exc_info()[1]


def _told(error: BaseException | None, depth: int = 0) -> Iterator[str]:
    if error is None or depth > 5:
        return
    yield from _told(error.__cause__ or (None if error.__suppress_context__ else error.__context__), depth + 1)
    yield from _places(error.__traceback__)
    yield type(error).__module__ + "." + type(error).__qualname__


def _places(trace: TracebackType | None) -> Iterator[str]:
    for frame in traceback.extract_tb(trace):
        yield f"  {frame.filename}:{frame.lineno} in {frame.name}"


def without_personal(logger: Any, method: str, line: EventDict) -> EventDict:
    """Mask what looks personal in every text of the line, however it got there."""
    for name, value in line.items():
        if not name.startswith("_"):
            line[name] = _cleaned(value)
    return line


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, dict):
        return {_cleaned(name): _cleaned(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(inner) for inner in value]
    return value
