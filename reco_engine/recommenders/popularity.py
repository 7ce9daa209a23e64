"""What everybody buys lately."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions
from reco_engine.errors import BadInputError
from reco_engine.portrait.decay import half_life_weights
from reco_engine.types import Floats, Ids, Items, Scores, Terms

from .base import Explained, Progress, need_interactions, pick
from .segments import Segments, codes_per_interaction, takers_by_segment
from .tuning import Search

USUAL = 120.0
SEARCH = Search({"half_life": USUAL}, {"half_life": (7.0, 14.0, 30.0, 60.0, 240.0)}, dated=("half_life",))
"""Cases below which the starting half-life is as good a guess as any."""


@dataclass
class Popularity(Explained):
    """Score items by how many users took them lately; the same for each shopper, or each shopper of a segment.

    A user counts once an item, however often they took it: the logarithm of the summed, faded counts. In a
    segment, the counts are what the shop's whole volume would be if all bought as the segment does:
    ``c = N (c_s + lean c_all / N) / (N_s + lean)``, where N is all takers and N_s the segment's, so that a small
    segment leans on everybody. A history of no segment, or one never seen, gets everybody's counts.

    Attributes:
        half_life: Days; ``None`` is chosen in ``fit`` by what was new to users later, in an inner split.
        lean: How many takers of everybody's are added to each segment's own.
    """

    name: ClassVar[str] = "popularity"

    half_life: float | None = USUAL
    lean: float = 10_000.0
    half_life_: float = field(init=False, repr=False)
    item_ids_: Ids = field(init=False, repr=False)
    scores_: Floats = field(init=False, repr=False)
    segments_: Ids = field(init=False, repr=False)  # sorted
    segment_starts_: npt.NDArray[np.int64] = field(init=False, repr=False)
    segment_items_: npt.NDArray[np.int32] = field(init=False, repr=False)
    segment_takers_: Floats = field(init=False, repr=False)

    @property
    def item_ids(self) -> Ids:
        return self.item_ids_

    def fit(
        self,
        interactions: Interactions,
        catalogue: Catalogue | None = None,
        *,
        seed: int = 0,
        at: float | None = None,
        progress: Progress | None = None,
        segments: Segments | None = None,
    ) -> Self:
        """Count.

        Args:
            segments: The segment or market of each user, by user id, or of each interaction, in their order;
                ``None`` for those that belong to none.
        Raises:
            BadInputError: If there are no interactions, or not one segment for each of them, or ``lean`` is not
                above zero.
        """
        need_interactions(interactions)
        if self.lean <= 0:
            raise BadInputError(f"lean must be above zero takers, not {self.lean}")
        half_life = SEARCH.settings_for(self, interactions, None, seed=seed, at=at)["half_life"]
        fading = half_life_weights(interactions.ages(at), half_life)
        self.learn(interactions.item_ids, interactions.takers_over(interactions.item_ids, fading), half_life)
        self.segments_, codes = codes_per_interaction(interactions, segments)
        takers = takers_by_segment(interactions, fading, codes, self.segments_.size)
        self.segment_starts_ = takers.indptr.astype(np.int64)
        self.segment_items_ = takers.indices.astype(np.int32)
        self.segment_takers_ = takers.data
        return self

    def learn(self, item_ids: Ids, takers: npt.NDArray[np.float64], half_life: float) -> Self:
        """Take over how many took each of the sorted items lately, shape (n_items,), without segments."""
        self.half_life_, self.item_ids_, self.scores_ = half_life, item_ids, np.log1p(takers)
        self.segments_, self.segment_starts_ = np.empty(0, "U1"), np.zeros(1, dtype=np.int64)
        self.segment_items_, self.segment_takers_ = np.empty(0, dtype=np.int32), np.empty(0)
        return self

    def score(self, histories: Sequence[History], items: Items | None = None, at: float | None = None) -> Scores:
        rows = {history.segment: self._row(history.segment) for history in histories}
        picked = {segment: pick(row, self.item_ids_, items) for segment, row in rows.items()}
        width = self.item_ids_.size if items is None else len(items)
        return np.asarray([picked[history.segment] for history in histories], np.float32).reshape(len(histories), width)

    def terms(self, history: History, items: Items, at: float | None = None) -> list[Terms]:
        points = np.nan_to_num(pick(self._row(history.segment), self.item_ids_, items).astype(np.float64))
        return [Terms("popular", points[:, None], self.name)]

    def _row(self, segment: Hashable | None) -> Floats:
        """The score of each item in the segment, shape (n_items,)."""
        place = int(np.searchsorted(self.segments_, str(segment)))
        if segment is None or place == self.segments_.size or self.segments_[place] != str(segment):
            return self.scores_
        cells = slice(self.segment_starts_[place], self.segment_starts_[place + 1])
        takers = np.expm1(self.scores_)
        own = np.bincount(self.segment_items_[cells], self.segment_takers_[cells], minlength=takers.size)
        total = takers.sum() or 1.0
        return np.asarray(np.log1p(total * (own + self.lean * takers / total) / (own.sum() + self.lean)))
