"""Saying less where little is likely: from a score to the chance that the item is taken, and a least chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from reco_engine.data.interactions import History
from reco_engine.data.splits import Case
from reco_engine.errors import BadInputError
from reco_engine.types import Floats, Ranking

from .blending import BUCKETS, Blend


@dataclass
class Silence:
    """A rising map from score to chance for each history size; NaN where too few lists were seen to say.

    A history size with fewer than ``n_enough`` lists borrows the map of all of them together. Items of neighbouring
    scores are counted together, ``n_together`` or more, so that no single purchase makes a score look certain.

    Source:
        Zadrozny and Elkan, "Transforming classifier scores into accurate multiclass probability estimates",
        KDD 2002 (isotonic regression).
    """

    name: ClassVar[str] = "silence"

    n_enough: int = 50  # lists
    n_together: int = 50  # items
    starts_: npt.NDArray[np.int64] = field(init=False, repr=False)  # of each bucket's knots, shape (n_buckets + 1,)
    scores_: Floats = field(init=False, repr=False)  # shape (n_knots,), rising within a bucket
    chances_: Floats = field(init=False, repr=False)  # shape (n_knots,), never falling within a bucket

    @classmethod
    def of(cls, blend: Blend) -> Self:
        """What was learnt of the scores of ``blend``, and is kept with it."""
        silence = cls()
        silence.starts_, silence.scores_ = blend.silence_starts_, blend.silence_scores_
        silence.chances_ = blend.silence_chances_
        return silence

    def keep_with(self, blend: Blend) -> None:
        """Have ``blend`` carry what was learnt: it says nothing of any other one's scores."""
        blend.silence_starts_, blend.silence_scores_ = self.starts_, self.scores_
        blend.silence_chances_ = self.chances_

    def fit(self, rank: Callable[[History], Ranking], cases: Sequence[Case]) -> Self:
        """Learn from what was taken of the lists that ``rank`` gives; the cases must be later than its training.

        Lists for which nothing was taken are as telling as the others: leave none of them out.
        """
        lists = [rank(case.history) for case in cases]
        scores = [np.asarray(each.scores, dtype=np.float64) for each in lists]
        taken = [
            np.asarray([item in case.new for item in each.item_ids], dtype=bool)
            for each, case in zip(lists, cases, strict=True)
        ]
        return self.fit_lists(scores, taken, [len(case.history) for case in cases])

    def fit_lists(
        self,
        scores: Sequence[Floats],
        taken: Sequence[npt.NDArray[np.bool_]],
        history_sizes: Sequence[int],
    ) -> Self:
        """Learn from lists that are there already.

        Args:
            scores: Of each list's items, shape (n_shown,).
            taken: Which of them were taken later, shape (n_shown,).
            history_sizes: Events in the history that each list was made from.
        Raises:
            BadInputError: If a score is NaN or infinite.
        """
        if any(not np.all(np.isfinite(each)) for each in scores):
            raise BadInputError("scores must be finite; a list holds no item without an opinion")
        buckets = np.searchsorted(BUCKETS, np.asarray(history_sizes, dtype=np.int64), side="right")
        everyone = self._knots(scores, taken)
        pieces = []
        for bucket in range(len(BUCKETS) + 1):
            mine = np.flatnonzero(buckets == bucket).tolist()
            own = self._knots([scores[i] for i in mine], [taken[i] for i in mine])
            pieces.append(own if own[0].size else everyone)
        self.starts_ = np.cumsum([0, *(knots.size for knots, _ in pieces)], dtype=np.int64)
        self.scores_ = np.concatenate([knots for knots, _ in pieces])
        self.chances_ = np.concatenate([chances for _, chances in pieces])
        return self

    def chances(self, scores: Floats, history_size: int) -> npt.NDArray[np.float64]:
        """How likely each item is to be taken, 0 to 1, never falling with its score; NaN where nothing is known."""
        bucket = int(np.searchsorted(BUCKETS, history_size, side="right"))
        knots = slice(int(self.starts_[bucket]), int(self.starts_[bucket + 1]))
        if knots.start == knots.stop:
            return np.full(len(scores), np.nan)
        return np.interp(np.asarray(scores, dtype=np.float64), self.scores_[knots], self.chances_[knots])

    def knows(self, history_size: int) -> bool:
        """Whether anything was learnt of lists that so long a history leads to."""
        return not np.isnan(self.chances(np.zeros(1), history_size)[0])

    def cut(self, ranking: Ranking, history_size: int, least_chance: float) -> Ranking:
        """The same list without items less likely than ``least_chance``, in the same order.

        Where nothing is known nothing is cut: silence has to be learned.
        """
        chances = self.chances(np.asarray(ranking.scores, dtype=np.float64), history_size)
        kept = np.flatnonzero(~(chances < least_chance)).tolist()
        return Ranking(tuple(ranking.item_ids[i] for i in kept), tuple(ranking.scores[i] for i in kept))

    def _knots(
        self, scores: Sequence[Floats], taken: Sequence[npt.NDArray[np.bool_]]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The map that these lists speak for; no knots where they are too few, or all empty."""
        if len(scores) < self.n_enough or not any(each.size for each in scores):
            return np.empty(0), np.empty(0)
        flat, hits = np.concatenate(scores), np.concatenate(taken)
        order = np.argsort(flat, kind="stable")
        n_groups = max(1, flat.size // max(1, self.n_together))
        starts = np.arange(n_groups) * flat.size // n_groups
        sizes = np.diff(np.append(starts, flat.size)).astype(np.float64)
        middles = np.add.reduceat(flat[order], starts) / sizes
        shares = np.add.reduceat(hits[order].astype(np.float64), starts) / sizes
        from sklearn.isotonic import IsotonicRegression  # here: a web process does without

        rising = IsotonicRegression(y_min=0.0, y_max=1.0).fit(middles, shares, sample_weight=sizes)
        return (
            np.asarray(rising.X_thresholds_, dtype=np.float64),
            np.asarray(rising.y_thresholds_, dtype=np.float64),
        )
