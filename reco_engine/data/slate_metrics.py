"""What lists are like beside being right: how much of the catalogue they show, how new, varied, popular and calibrated.

Lists are item places, best first, -1 where a list has ended, shape (n_lists, length); a list without a single
item has no figure (NaN).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.types import Floats

from .list_metrics import Figures, Lists, need_lists

BLOCK = 2048
"""Lists that are worked on at once."""


def exposures(ranked: Lists, n_items: int) -> npt.NDArray[np.int64]:
    """How many of the lists show each item, shape (n_items,)."""
    need_lists(ranked, (ranked.shape[0], n_items))
    return np.bincount(ranked[ranked >= 0], minlength=n_items).astype(np.int64)


def catalogue_coverage(counts: npt.NDArray[np.int64]) -> float:
    """Share of the items that some list shows, from ``exposures``; NaN without items."""
    return float(np.count_nonzero(counts) / counts.size) if counts.size else float("nan")


def gini(counts: npt.NDArray[np.int64]) -> float:
    """How unequal exposure is, from ``exposures``: 0 when all items have as much, near 1 when one has all.

    The mean difference between two items, over twice the mean. NaN when nothing was shown.
    """
    total = float(counts.sum())
    if total == 0:
        return float("nan")
    places = np.arange(1, counts.size + 1)
    return float((2 * places - counts.size - 1) @ np.sort(counts) / (counts.size * total))


def novelty(ranked: Lists, takers: Floats, n_users: int) -> Figures:
    """Mean self-information of each list's items, in bits: -log2 of the share of users who took one.

    Args:
        takers: How many users took each item, shape (n_items,); none counts as one, the most that is known.
    Source:
        Vargas and Castells, "Rank and relevance in novelty and diversity metrics", RecSys 2011.
    """
    return _mean_of(-np.log2(np.maximum(takers, 1.0) / max(n_users, 1)), ranked)


def popularity(ranked: Lists, takers: Floats, n_users: int) -> Figures:
    """Mean share of users who took each list's items."""
    return _mean_of(np.asarray(takers, dtype=np.float64) / max(n_users, 1), ranked)


def popularity_bias(ranked: Lists, histories: sparse.csr_matrix, takers: Floats) -> Figures:
    """How much more popular each list is than its shopper's history: 0 as popular, 1 twice as much, -1 not at all.

    Args:
        histories: What each list's shopper had taken, any value but 0, shape (n_lists, n_items).
    Returns:
        Shape (n_lists,); NaN for an empty history.
    Source:
        Abdollahpouri et al., "The unfairness of popularity bias in recommendation", RMSE 2019 (their ratio, for
        one shopper instead of a group).
    """
    need_lists(ranked, histories.shape)
    had = sparse.csr_matrix((histories.data != 0, histories.indices, histories.indptr), shape=histories.shape)
    sizes = np.asarray(had.sum(axis=1), dtype=np.float64).ravel()
    usual = np.divide(had @ np.asarray(takers, np.float64), sizes, out=np.full(sizes.size, np.nan), where=sizes > 0)
    return _mean_of(np.asarray(takers, dtype=np.float64), ranked) / np.where(usual > 0, usual, np.nan) - 1.0


def diversity(ranked: Lists, features: sparse.csr_matrix) -> Figures:
    """Mean of one minus the cosine over all pairs of each list's items; an item without features is like none.

    Args:
        features: Shape (n_items, n_features).
    Returns:
        Shape (n_lists,); NaN for a list of fewer than two items.
    """
    need_lists(ranked, (ranked.shape[0], features.shape[0]))
    lengths = np.sqrt(np.asarray(features.multiply(features).sum(axis=1), dtype=np.float64).ravel())
    unit = sparse.csr_matrix(sparse.diags(1.0 / np.where(lengths > 0, lengths, 1.0)) @ features)
    own = (lengths > 0).astype(np.float64)
    result = np.empty(ranked.shape[0])
    for rows in _blocks(ranked.shape[0]):
        chosen = _selection(ranked[rows], features.shape[0])
        sums = sparse.csr_matrix(chosen @ unit)
        alike = np.asarray(sums.multiply(sums).sum(axis=1)).ravel() - chosen @ own
        sizes = np.diff(chosen.indptr).astype(np.float64)
        pairs = sizes * (sizes - 1)
        result[rows] = 1.0 - np.divide(alike, pairs, out=np.full(pairs.size, np.nan), where=pairs > 0)
    return result


def miscalibration(
    ranked: Lists, histories: sparse.csr_matrix, categories: sparse.csr_matrix, *, smoothing: float = 0.01
) -> Figures:
    """How far each list's category shares are from its shopper's history: Kullback-Leibler divergence, in nats.

    Args:
        histories: How much each list's shopper took of each item, shape (n_lists, n_items).
        categories: How much each item is of each category, shape (n_items, n_categories); an item without any
            is left out.
        smoothing: Share of the history's distribution that is mixed into the list's, so that a category that the
            list lacks has a finite cost.
    Returns:
        Zero or more, 0 for the same shares, shape (n_lists,); NaN where history or list has no category.
    Source:
        Steck, "Calibrated recommendations", RecSys 2018.
    """
    need_lists(ranked, histories.shape)
    sizes = np.asarray(categories.sum(axis=1), dtype=np.float64).ravel()
    shares = sparse.csr_matrix(sparse.diags(1.0 / np.where(sizes > 0, sizes, 1.0)) @ categories)
    result = np.empty(ranked.shape[0])
    for rows in _blocks(ranked.shape[0]):
        wanted = _distributions((histories[rows] @ shares).toarray())
        shown = _distributions((_selection(ranked[rows], histories.shape[1]) @ shares).toarray())
        mixed = (1 - smoothing) * shown + smoothing * wanted
        ratios = np.divide(wanted, mixed, out=np.ones_like(wanted), where=wanted > 0)
        result[rows] = np.maximum((wanted * np.log(ratios)).sum(axis=1), 0.0)
    return result


def _mean_of(values: Floats, ranked: Lists) -> Figures:
    need_lists(ranked, (ranked.shape[0], values.size))
    shown = ranked >= 0
    sizes = shown.sum(axis=1)
    sums = np.where(shown, values[np.where(shown, ranked, 0)] if values.size else 0.0, 0.0).sum(axis=1)
    return np.asarray(np.divide(sums, sizes, out=np.full(sizes.size, np.nan), where=sizes > 0))


def _selection(ranked: Lists, n_items: int) -> sparse.csr_matrix:
    """Lists by items, 1 where one is shown."""
    shown = ranked >= 0
    starts = np.concatenate(([0], np.cumsum(shown.sum(axis=1))))
    items = ranked[shown]
    return sparse.csr_matrix((np.ones(items.size), items, starts), shape=(ranked.shape[0], n_items))


def _distributions(rows: Figures) -> Figures:
    totals = rows.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(rows, totals, out=np.full(rows.shape, np.nan), where=totals > 0))


def _blocks(n_rows: int) -> Iterator[slice]:
    yield from (slice(start, start + BLOCK) for start in range(0, n_rows, BLOCK))
