"""Why an event is refused: a code for programs, a sentence for people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EventError(Exception):
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class BatchTooLargeError(ValueError):
    """More events than one call may carry; none was stored."""


class UnknownEventError(LookupError):
    """No event of this shopper has this id."""


class StreamMovedError(RuntimeError):
    """Another consumer has read on from where this one was; nothing was stored."""
