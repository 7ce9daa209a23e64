"""What a check found, and what whoever runs the shop does about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "failing", "skipped"]


@dataclass(frozen=True, slots=True)
class Finding:
    """``advice`` says what to do, and is empty where there is nothing to do. Neither text holds a secret."""

    verdict: Verdict
    found: str
    advice: str = ""


def ok(found: str) -> Finding:
    return Finding("ok", found)


def warning(found: str, advice: str) -> Finding:
    return Finding("warning", found, advice)


def failing(found: str, advice: str) -> Finding:
    return Finding("failing", found, advice)


def skipped(found: str) -> Finding:
    return Finding("skipped", found)
