"""Some users' last items, hidden from training, to see when to stop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from .bag_network import BagNetwork

FEW_USERS = 20
"""Users below which a slice says nothing."""
FEW_ITEMS = 5
"""Items of a user below which none is hidden."""
MOST_SHARE = 0.5
"""Of the users who have enough items, that are in the slice at most."""
HIDDEN_SHARE = 0.2
DEPTH = 20
BLOCK = 256


@dataclass(frozen=True)
class Slice:
    """What some users are known to have, and what was hidden of them, each of shape (n_users, n_items)."""

    bags: sparse.csr_matrix
    hidden: sparse.csr_matrix

    def ndcg(self, network: BagNetwork) -> float:
        """Mean NDCG@20 of the hidden items, everything but the known ones ranked."""
        discounts = 1.0 / np.log2(np.arange(2, DEPTH + 2))
        total = 0.0
        for start in range(0, self.bags.shape[0], BLOCK):
            bags, hidden = self.bags[start : start + BLOCK], self.hidden[start : start + BLOCK]
            scores = network.scores(bags)
            scores[bags.nonzero()] = -np.inf
            n_best = min(DEPTH, scores.shape[1])
            best = np.argpartition(-scores, n_best - 1, axis=1)[:, :n_best]
            order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
            hits = np.take_along_axis(hidden.toarray() > 0, np.take_along_axis(best, order, axis=1), axis=1)
            ideal = np.cumsum(discounts)[np.minimum(np.diff(hidden.indptr), DEPTH) - 1]
            total += float((hits @ discounts[:n_best] / ideal).sum())
        return total / self.bags.shape[0]


def held_out(
    bags: sparse.csr_matrix, since: npt.NDArray[np.float64], *, n_users: int, rng: np.random.Generator
) -> tuple[sparse.csr_matrix, Slice | None]:
    """Hide the last fifth of the items of ``n_users`` users, drawn from those with five items or more.

    Args:
        bags: What each user took, shape (n_all_users, n_items).
        since: When each entry of ``bags`` was first taken, in any unit; where times are equal, as they are in
            undated data, chance decides.
    Returns:
        The bags without what was hidden, and the slice; the bags as they are and None where users are too few.
    """
    sizes = np.diff(bags.indptr)
    able = rng.permutation(np.flatnonzero(sizes >= FEW_ITEMS))
    chosen = np.sort(able[: min(n_users, int(able.size * MOST_SHARE))])
    if chosen.size < FEW_USERS:
        return bags, None
    owners = np.repeat(np.arange(sizes.size), sizes)
    order = np.lexsort((rng.random(since.size), since, owners))
    turns = np.arange(since.size) - np.repeat(bags.indptr[:-1], sizes)
    late = turns >= np.repeat(sizes - np.maximum((sizes * HIDDEN_SHARE).astype(np.int64), 1), sizes)
    hidden = np.zeros(since.size, dtype=bool)
    hidden[order] = late
    hidden &= np.isin(owners, chosen)
    known = _only(bags, ~hidden)
    return known, Slice(known[chosen], _only(bags, hidden)[chosen])


def _only(bags: sparse.csr_matrix, keep: npt.NDArray[np.bool_]) -> sparse.csr_matrix:
    starts = np.concatenate([[0], np.cumsum(keep)])[bags.indptr]
    return sparse.csr_matrix((bags.data[keep], bags.indices[keep], starts), bags.shape)
