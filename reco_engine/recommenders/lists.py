"""Lists of many shoppers at once from scores that are zero nearly everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.data.interactions import History, codes_of
from reco_engine.types import Ids, Scores

from .base import best_places

List = tuple[npt.NDArray[np.int64], Scores]


def closed_cells(
    histories: Sequence[History], item_ids: Ids, *, exclude_seen: bool, allowed: npt.NDArray[np.bool_] | None
) -> npt.NDArray[np.bool_]:
    """Which items must not be listed for whom, shape (n_histories, n_items)."""
    closed = np.zeros((len(histories), item_ids.size), dtype=bool)
    if allowed is not None:
        closed[:, ~allowed] = True
    if exclude_seen:
        sizes = [len(history) for history in histories]
        codes = codes_of(item_ids, list(chain.from_iterable(history.items for history in histories)))
        owners = np.repeat(np.arange(len(histories)), sizes)
        closed[owners[codes >= 0], codes[codes >= 0]] = True
    return closed


def best_of_rows(sums: sparse.csr_matrix, closed: npt.NDArray[np.bool_], n: int) -> list[List]:
    """The ``n`` best open items of each row, best first, ties by place; entries that are not stored are zero.

    Args:
        sums: Scores above zero, shape (n_rows, n_items).
        closed: Which items must not be listed, shape (n_rows, n_items).
    """
    values, columns = sums.data.astype(np.float32), sums.indices
    rows = np.repeat(np.arange(sums.shape[0]), np.diff(sums.indptr))
    values[closed[rows, columns]] = 0.0
    return [
        _best(values[start:stop], columns[start:stop], closed[row], n)
        for row, (start, stop) in enumerate(zip(sums.indptr, sums.indptr[1:], strict=False))
    ]


def _best(values: Scores, columns: npt.NDArray[np.int32], closed: npt.NDArray[np.bool_], n: int) -> List:
    if values.size > n > 0:
        least = -np.partition(-values, n - 1)[n - 1]
        if least > 0:
            some = np.flatnonzero(values >= least)
            order = some[np.lexsort((columns[some], -values[some]))[:n]]
            return columns[order].astype(np.int64), values[order]
    whole = np.zeros(closed.size, dtype=np.float32)  # too few scores above zero: zeros fill the list
    whole[columns] = values
    whole[closed] = np.nan
    places = best_places(whole, n)
    return places, whole[places]
