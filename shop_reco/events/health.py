"""Whether the data that comes in is any good: what products lack, what was refused, and what nobody knows."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shop_reco.products.selectors import missing_fields

from .models import RejectedEvent

LATELY = 5000
"""Refused events that are looked at, the newest; a table that grows without bound is never read whole."""
MOST = 20
"""Unknown products that are named."""


@dataclass(frozen=True, slots=True)
class Lack:
    """Products on offer that lack something; ``share`` in percent of all on offer."""

    field: str
    n: int
    share: float


@dataclass(frozen=True, slots=True)
class Refused:
    """Events that were refused for one reason; ``width`` in percent of the most frequent one."""

    code: str
    n: int
    waiting: int
    width: float


@dataclass(frozen=True, slots=True)
class Unknown:
    """A product that events name and the catalogue has not."""

    name: str
    n: int
    last: dt.datetime


@dataclass(frozen=True)
class Health:
    """Attributes:
    n_products: On offer.
    n_refused: Refused events that were looked at.
    """

    n_products: int
    lacks: list[Lack]
    n_refused: int
    refused: list[Refused]
    unknown: list[Unknown]


def health() -> Health:
    """Two queries: one scan of the catalogue, and the newest refused events."""
    missing = missing_fields()
    n = missing.pop("n")
    lacks = [Lack(field, count, 100 * count / n if n else 0.0) for field, count in missing.items()]
    rows = list(
        RejectedEvent.objects.order_by("-pk").values_list("code", "payload", "received_at", "replayed_at")[:LATELY]
    )
    return Health(n, sorted(lacks, key=lambda lack: -lack.n), len(rows), _refused(rows), _unknown(rows))


def _refused(rows: Sequence[Any]) -> list[Refused]:
    counts = Counter(code for code, *_ in rows)
    waiting = Counter(code for code, _payload, _at, replayed in rows if replayed is None)
    most = max(counts.values(), default=1)
    return [Refused(code, n, waiting[code], round(100 * n / most, 2)) for code, n in counts.most_common()]


def _unknown(rows: Sequence[Any]) -> list[Unknown]:
    """The most named first; what was stored since is unknown no more."""
    counts, last = Counter[str](), dict[str, dt.datetime]()
    for code, payload, at, replayed in rows:
        name = _named(payload) if code == "UNKNOWN_PRODUCT" and replayed is None else ""
        if name:
            counts[name] += 1
            last.setdefault(name, at)
    return [Unknown(name, n, last[name]) for name, n in counts.most_common(MOST)]


def _named(payload: Any) -> str:
    found = (payload.get("sku") or payload.get("product")) if isinstance(payload, dict) else None
    return str(found)[:128] if found else ""
