"""What serving hands to whoever shows it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from shop_reco.products.models import Product


@dataclass(frozen=True, slots=True)
class ServedReason:
    """One term of the score; ``text`` is in the language of the request."""

    kind: str
    text: str
    points: float
    evidence: list[Product]


@dataclass(frozen=True, slots=True)
class ServedEdge:
    product: Product
    cursor: str
    rank: int
    score: float
    placed_by: str
    reasons: list[ServedReason]


@dataclass(frozen=True, slots=True)
class Served:
    """A list: ``rung`` says how far down the ladder it came from."""

    slate_id: uuid.UUID
    personalised: bool
    rung: str
    edges: list[ServedEdge] = field(default_factory=list)
    has_next_page: bool = False
