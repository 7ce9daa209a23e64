"""What makes two products of one list alike: category, brand, and what content-based recommendation compares."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.data.interactions import codes_of
from reco_engine.ranking.diversity import Likeness
from reco_engine.types import Floats, Ids

from .shelf import Shelf


class Alike:
    """A third each for the same category, the same brand and the cosine of the content's features, 0 to 1.

    Holds nothing of its own: it reads the shelf's columns and the content model's rows, which may be mapped from
    disk, for the hundred candidates of a list.
    """

    def __init__(self, content: Any | None, shelf: Shelf) -> None:
        self._content, self._shelf = content, shelf

    def among(self, items: Ids) -> Likeness:
        """Likeness among these candidates, in their order; one that is unknown is like no other one."""
        columns, places = self._shelf.columns, codes_of(self._shelf.ids, items)
        known, at = places >= 0, np.maximum(places, 0)
        groups = [
            np.where(known, column[at], 0) if column.size else np.zeros(items.size, np.int64)
            for column in (columns.categories, columns.brands)
        ]
        cosines = self._cosines(items)

        def likeness(place: int) -> Floats:
            same = [(group == group[place]) & (group[place] != 0) for group in groups]
            return np.asarray((same[0].astype(np.float64) + same[1] + cosines[place]) / 3.0)

        return likeness

    def _cosines(self, items: Ids) -> npt.NDArray[np.float64]:
        """Of each two candidates, shape (n_candidates, n_candidates); 0 where the content model knows one not."""
        if self._content is None:
            return np.zeros((items.size, items.size))
        places = codes_of(self._content.item_ids, items)
        rows = self._content.features_of(np.maximum(places, 0))
        lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1), dtype=np.float64).ravel())
        scales = np.where(places >= 0, 1.0 / np.where(lengths > 0, lengths, 1.0), 0.0)
        scaled = sparse.diags(scales) @ rows
        return np.minimum(np.asarray((scaled @ scaled.T).todense(), dtype=np.float64), 1.0)
