"""Users' segments or markets, as codes, and what each of them takes."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.data.interactions import Interactions
from reco_engine.errors import BadInputError
from reco_engine.types import Floats, Ids, UserId

Segments: TypeAlias = Mapping[UserId, Hashable | None] | Sequence[Hashable | None] | Ids


def codes_per_interaction(interactions: Interactions, segments: Segments | None) -> tuple[Ids, npt.NDArray[np.int64]]:
    """The names of the segments, sorted strings, and the place of each interaction's among them, -1 for none.

    Raises:
        BadInputError: If a sequence has not one segment for each interaction.
    """
    if segments is None:
        return np.empty(0, "U1"), np.full(len(interactions), -1, dtype=np.int64)
    if isinstance(segments, Mapping):
        of_users = [segments.get(user) for user in interactions.user_ids.tolist()]
        names, codes = _codes(of_users)
        return names, codes[interactions.users]
    if len(segments) != len(interactions):
        raise BadInputError(
            f"segments must have one value per interaction: {len(interactions)}, not {len(segments)}; "
            "or give a mapping from user id to segment"
        )
    return _codes(segments.tolist() if isinstance(segments, np.ndarray) else segments)


def _codes(values: Sequence[Hashable | None]) -> tuple[Ids, npt.NDArray[np.int64]]:
    """The values' names, sorted, and the place of each value among them, -1 for ``None``."""
    distinct = set(values) - {None}
    names = sorted({str(value) for value in distinct})
    rank = {name: place for place, name in enumerate(names)}
    places: dict[Hashable | None, int] = {value: rank[str(value)] for value in distinct}
    codes = np.fromiter((places.get(value, -1) for value in values), dtype=np.int64, count=len(values))
    return np.asarray(names, dtype=None if names else "U1"), codes


def takers_by_segment(
    interactions: Interactions, factors: Floats, codes: npt.NDArray[np.int64], n_segments: int
) -> sparse.csr_matrix:
    """Segments by items: how many users took each, weights times ``factors``, a user once an item at most."""
    keep = codes >= 0
    lines = codes[keep] * interactions.n_users + interactions.users[keep]
    rows, inverse = np.unique(lines, return_inverse=True)
    values = (interactions.weights * factors)[keep]
    takers = sparse.csr_matrix((values, (inverse, interactions.items[keep])), shape=(rows.size, interactions.n_items))
    takers.sum_duplicates()
    takers.data = np.minimum(takers.data, 1.0)
    owners = rows // max(interactions.n_users, 1)
    members = sparse.csr_matrix((np.ones(rows.size), (owners, np.arange(rows.size))), shape=(n_segments, rows.size))
    by_segment = (members @ takers).tocsr()
    by_segment.sort_indices()
    return by_segment
