"""What serving hands to whoever shows it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from shop_reco.products.models import Product


@dataclass(frozen=True, slots=True)
class ServedReason:
    """One term of the score; ``text`` is in the language of the request, ``source`` the recommender it comes from."""

    kind: str
    text: str
    points: float
    evidence: list[Product]
    source: str = ""


@dataclass(frozen=True, slots=True)
class ServedEdge:
    """One place of a list; ``propensity`` is how likely the product was to be in it."""

    product: Product
    cursor: str
    rank: int
    score: float
    placed_by: str
    reasons: list[ServedReason]
    propensity: float = 1.0


@dataclass(frozen=True, slots=True)
class Served:
    """A list: ``rung`` says how far down the ladder it came from."""

    slate_id: uuid.UUID
    personalised: bool
    rung: str
    edges: list[ServedEdge] = field(default_factory=list)
    has_next_page: bool = False
