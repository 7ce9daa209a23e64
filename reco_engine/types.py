"""What the engine hands out: rankings, recommendations, and the reasons that add up to their scores."""

from __future__ import annotations

import math
from collections.abc import Hashable
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
ReasonKind = Literal["history_item", "similar_shoppers", "feature", "popular", "repeat", "remainder", "rule", "dislike"]


@dataclass(frozen=True, slots=True)
class Reason:
    """One term of a score: ``points`` in score units, and the items that are its evidence."""

    kind: ReasonKind
    points: float
    label: str = ""
    evidence: tuple[ItemId, ...] = ()
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
