"""The steps from a live history to an ordered list: propose, score, blend, cut."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions, codes_of
from reco_engine.recommenders.base import Explained, Proposer, Recommender, best_open, best_places, heard, pick
from reco_engine.recommenders.registry import create
from reco_engine.types import Ids, ItemId, Items, Ranking, Scores, Terms

from .blending import DEFAULT_WEIGHTS, Blend
from .diversity import Diversity
from .eligibility import eligible
from .fitting import fit_blend
from .silence import Silence

PROPOSERS = ("item_cf", "user_cf", "content", "popularity")
"""Cheap enough to score everything; the others score candidates only."""


@dataclass
class Hybrid(Explained):
    """Recommenders and the blend of them: two stages, one additive score, reasons that sum to it."""

    name = "hybrid"

    parts: Mapping[str, Recommender] = field(default_factory=dict)
    blend: Blend = field(default_factory=lambda: Blend.default({}))

    def __post_init__(self) -> None:
        if all("item_ids_" in vars(part) for part in self.parts.values()):
            self._align()

    def _align(self) -> None:
        ids = [part.item_ids for part in self.parts.values()]
        self.item_ids: Ids = np.unique(np.concatenate(ids)) if ids else np.empty(0, np.int64)
        self._places = {
            name: (
                None if np.array_equal(part.item_ids, self.item_ids) else np.searchsorted(self.item_ids, part.item_ids)
            )
            for name, part in self.parts.items()
        }

    def fit(
        self,
        interactions: Interactions,
        catalogue: Catalogue | None = None,
        *,
        seed: int = 0,
        at: float | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> Self:
        """Fit parts to a cut, the weights on what came after it, and the parts again to the end."""
        names = list(self.parts) or [name for name in DEFAULT_WEIGHTS if catalogue is not None or "content" not in name]
        factories = {name: _factory(self.parts.get(name), name) for name in names}
        tell = progress or (lambda _: None)
        self.blend = fit_blend(
            factories, interactions, catalogue, seed=seed, at=at, progress=lambda done: tell(0.5 * done)
        )
        parts: dict[str, Recommender] = {}
        for name, make in factories.items():
            hear = heard(tell, 0.5 + 0.5 * len(parts) / len(factories), 0.5 / len(factories))
            parts[name] = make().fit(interactions, catalogue, seed=seed, at=at, progress=hear)
        self.parts = parts
        self._align()
        return self

    def score(self, histories: Sequence[History], items: Items | None = None, at: float | None = None) -> Scores:
        wanted = self.item_ids.tolist() if items is None else list(items)
        scores = np.full((len(histories), len(wanted)), np.nan, dtype=np.float32)
        for row, history in enumerate(histories):
            shares = self.blend.shares(len(history), self.parts.keys())
            opinions = [share.points(self.parts[p].score([history], wanted, at)[0]) for p, share in shares.items()]
            if opinions:
                stacked = np.stack(opinions)
                total = np.nansum(stacked, axis=0)
                scores[row] = np.where(np.all(np.isnan(stacked), axis=0), np.nan, total)
        return scores

    def terms(self, history: History, items: Items, at: float | None = None) -> list[Terms]:
        blended: list[Terms] = []
        for name, share in self.blend.shares(len(history), self.parts.keys()).items():
            terms = self.parts[name].terms(history, items, at=at)
            raw = np.sum([term.points.sum(axis=1) for term in terms], axis=0) if terms else np.zeros(len(items))
            blended += [term.times(share.ratios(raw)) for term in terms]
        return blended

    def taking_part(self, names: Collection[str]) -> Self:
        """The same hybrid with some of its parts; the others contribute nothing and the rest is re-normalised."""
        some = copy(self)
        some.parts = {name: part for name, part in self.parts.items() if name in names}
        return some

    def rank(
        self,
        history: History,
        n: int,
        *,
        allowed: npt.NDArray[np.bool_] | None = None,
        exclude: Collection[ItemId] = (),
        at: float | None = None,
        n_candidates: int = 300,
        bonus: Mapping[Any, float] | npt.NDArray[np.float64] | None = None,
        diversity: Diversity | None = None,
        silence: Silence | None = None,
        least_chance: float = 0.0,
        spare: int = 0,
    ) -> Ranking:
        """The ``n`` best items, best first: the cheap parts propose, all that take part score the candidates.

        Args:
            allowed: Which of ``item_ids`` may be shown, shape (n_items,); everyone proposes among these.
            exclude: Items that must not be shown to this shopper.
            n_candidates: Items worth ranking that each proposer passes on, at least ``n``.
            bonus: Points that rules add to items' scores, by item or of shape (n_items,); each proposer passes on
                the best of the raised ones, too.
            diversity: Makes the list less uniform: other items in another order, the scores stay what they are.
            silence: Leaves out what is less likely to be taken than ``least_chance`` by what the parts say of it;
                the list may become short. Where nothing is known nothing is left out.
            spare: Items that follow the ``n``, the best of the rest.
        """
        shares = self.blend.shares(len(history), self.parts.keys())
        open_ = eligible(self.item_ids, allowed=allowed, exclude=list(exclude))
        proposers = {name: self.parts[name] for name in shares if name in PROPOSERS}
        rows = {
            name: part.score([history], at=at)[0] for name, part in proposers.items() if not isinstance(part, Proposer)
        }

        def proposed(open_: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
            return self._candidates(history, proposers, rows, open_, max(n + spare, n_candidates), at)

        places = proposed(open_)
        extra = self._extra(bonus)
        if extra is not None:
            places = np.union1d(places, proposed(open_ & (extra > 0)))
        if places.size < n + spare and shares:
            places = np.flatnonzero(open_)
        ids = self.item_ids[places]
        total, opinion = np.zeros(places.size), np.zeros(places.size, dtype=bool)
        for name, share in shares.items():
            part = self.parts[name]
            row = pick(rows[name], part.item_ids, ids) if name in rows else part.score([history], items=ids, at=at)[0]
            said = ~np.isnan(row)
            total[said] += share.points(row[said])
            opinion |= said
        if silence is not None:
            opinion &= ~(silence.chances(total, len(history)) < least_chance)
        if extra is not None:
            total += extra[places]
        total[~opinion] = np.nan
        best = best_places(total, n + spare) if diversity is None else _diversified(diversity, ids, total, n, spare)
        return Ranking(tuple(ids[best].tolist()), tuple(total[best].tolist()))

    def _extra(self, bonus: Mapping[Any, float] | npt.NDArray[np.float64] | None) -> npt.NDArray[np.float64] | None:
        """Points that are added to each item's score, shape (n_items,); None where there are none."""
        if bonus is None or isinstance(bonus, np.ndarray):
            return bonus
        extra = np.zeros(self.item_ids.size)
        raised = codes_of(self.item_ids, list(bonus))
        extra[raised[raised >= 0]] = np.fromiter(bonus.values(), np.float64, len(bonus))[raised >= 0]
        return extra

    def _candidates(
        self,
        history: History,
        proposers: Mapping[str, Recommender],
        rows: Mapping[str, npt.NDArray[np.float32]],
        open_: npt.NDArray[np.bool_],
        n: int,
        at: float | None,
    ) -> npt.NDArray[np.int64]:
        """Places of the ``n`` best open items of each proposer, sorted; one that scores nothing proposes nothing.

        Args:
            rows: The scores of those proposers that score everything.
        """
        proposed = [np.empty(0, np.int64)]
        for name, part in proposers.items():
            own = self._places[name]
            mine = open_ if own is None else open_[own]
            best = best_open(rows[name], mine, n) if name in rows else part.proposed(history, mine, n, at)  # type: ignore[attr-defined]
            proposed.append(best if own is None else own[best])
        return np.unique(np.concatenate(proposed))


def _diversified(
    diversity: Diversity, ids: Ids, scores: npt.NDArray[np.float64], n: int, spare: int
) -> npt.NDArray[np.int64]:
    """Places of the list, within its cost, and then of the best that it left over."""
    chosen = diversity.places(ids, scores, n)
    rest = scores.copy()
    rest[chosen] = np.nan
    return np.concatenate([chosen, best_places(rest, spare)])


def _factory(part: Recommender | None, name: str) -> Callable[[], Recommender]:
    settings = {} if part is None else {k: v for k, v in vars(part).items() if not k.endswith("_")}
    return lambda: create(name, **settings)
