"""What the engine hands out: rankings, recommendations, and the reasons that add up to their scores."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from .errors import ReasonMismatchError

ItemId: TypeAlias = Hashable
UserId: TypeAlias = Hashable
Floats: TypeAlias = npt.NDArray[np.floating[Any]]
Scores: TypeAlias = npt.NDArray[np.float32]
Codes: TypeAlias = npt.NDArray[np.int32]
Ids: TypeAlias = npt.NDArray[Any]
Items: TypeAlias = Sequence[ItemId] | Ids
ReasonKind = Literal[
    "history_item", "similar_shoppers", "feature", "popular", "repeat", "remainder", "rule", "pinned", "dislike"
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms of one kind, for several items and one history, before they are made into reasons.

    Attributes:
        points: Score units, shape (n_items, n_terms); zero where a term says nothing of an item.
        evidence: The item behind each term, shape (n_terms,); None where no item is.
        shoppers: How many stand behind each item's terms, shape (n_items,).
    """

    kind: ReasonKind
    points: npt.NDArray[np.float64]
    source: str
    evidence: Ids | None = None
    shoppers: npt.NDArray[np.int64] | None = None

    def times(self, factors: npt.NDArray[np.float64]) -> Terms:
        """The same terms in another recommender's units: each item's points times its factor, shape (n_items,)."""
        return Terms(self.kind, self.points * factors[:, None], self.source, self.evidence, self.shoppers)


@dataclass(frozen=True, slots=True)
class Reason:
    """One term of a score: ``points`` in score units, and the items and shoppers that are its evidence."""

    kind: ReasonKind
    points: float
    evidence: tuple[ItemId, ...] = ()
    shoppers: int = 0
    source: str = ""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Items of one list, best first, and their scores."""

    item_ids: tuple[ItemId, ...]
    scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One item of a slate. Building one whose reasons miss its score is an error."""

    item_id: ItemId
    score: float
    reasons: tuple[Reason, ...]

    def __post_init__(self) -> None:
        total = math.fsum(reason.points for reason in self.reasons)
        if not math.isclose(total, self.score, rel_tol=1e-6, abs_tol=1e-9):
            raise ReasonMismatchError(self.item_id, self.score, total)
