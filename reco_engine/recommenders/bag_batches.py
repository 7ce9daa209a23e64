"""What one training step of the bag network sees: parts of bags, what is missing from them, and other items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from .base import ranges

Places = npt.NDArray[np.int64]
MOST_ITEMS = 300
"""Items of one bag that a step looks at, drawn anew each time: bounds the work that one robot can cause."""
MOST_BAGS = 150_000
"""Bags of one epoch, drawn anew each time: bounds the time between two looks at the validation slice."""
ALL_ITEMS = 2
"""So many times ``n_negatives`` items or fewer, and every step scores all of them."""


@dataclass(frozen=True)
class Sampling:
    """How steps are drawn.

    Attributes:
        batch: Bags of a step.
        dropout: Share of each bag that is hidden and to be found, at least one item and never all.
        n_negatives: Items drawn evenly, beside those that some bag of the step hides.
        correction: How much of the log chance of being a candidate is taken off a score; 1 estimates the softmax
            over all items, less of it holds popular items, which are candidates more often, down.
    """

    batch: int
    dropout: float
    n_negatives: int
    correction: float


@dataclass(frozen=True)
class Batch:
    """One step.

    Attributes:
        inputs: Places of the items in the bags, each once, shape (n_inputs,).
        members: Which of ``inputs`` each entry of the bags is, bag after bag, shape (n_entries,).
        starts: Where each bag starts among the entries, shape (n_bags,).
        weights: How much each entry counts, shape (n_entries,).
        candidates: Places of the items that are scored, sorted, shape (n_candidates,).
        offsets: Taken off the candidates' scores, shape (n_candidates,).
        rows: The bag of each hidden item, shape (n_hidden_items,).
        columns: Which of ``candidates`` each hidden item is, shape (n_hidden_items,).
        shares: How much each hidden item counts, summing to 1, shape (n_hidden_items,).
    """

    inputs: Places
    members: Places
    starts: Places
    weights: npt.NDArray[np.float32]
    candidates: Places
    offsets: npt.NDArray[np.float32]
    rows: Places
    columns: Places
    shares: npt.NDArray[np.float32]


def n_batches(bags: sparse.csr_matrix, sampling: Sampling) -> int:
    """Steps of one epoch; none where no bag has two items."""
    n_bags = int(np.count_nonzero(np.diff(bags.indptr) >= 2))
    return -(-min(n_bags, MOST_BAGS) // sampling.batch)


def batches(bags: sparse.csr_matrix, sampling: Sampling, rng: np.random.Generator) -> Iterator[Batch]:
    """One epoch over the bags of two items or more, shape (n_users, n_items), in random order."""
    order = rng.permutation(np.flatnonzero(np.diff(bags.indptr) >= 2))[:MOST_BAGS]
    takers = np.bincount(bags.indices, minlength=bags.shape[1])
    shares = takers / max(int(takers.sum()), 1)
    for start in range(0, order.size, sampling.batch):
        yield _batch(bags, order[start : start + sampling.batch], shares, sampling, rng)


def _batch(
    bags: sparse.csr_matrix,
    users: Places,
    shares: npt.NDArray[np.float64],
    sampling: Sampling,
    rng: np.random.Generator,
) -> Batch:
    sizes = np.diff(bags.indptr)[users].astype(np.int64)
    owners = np.repeat(np.arange(users.size), sizes)
    cells = ranges(bags.indptr[users].astype(np.int64), sizes)
    cells = cells[np.lexsort((rng.random(cells.size), owners))]
    turns = ranges(np.zeros(users.size, dtype=np.int64), sizes)
    looked_at = np.minimum(sizes, MOST_ITEMS)
    n_hidden = (looked_at * sampling.dropout + rng.random(users.size)).astype(np.int64)
    n_hidden = np.clip(n_hidden, 1, looked_at - 1)
    hidden = turns < n_hidden[owners]
    shown = ~hidden & (turns < looked_at[owners])
    inputs, members = np.unique(bags.indices[cells[shown]], return_inverse=True)
    n_shown = looked_at - n_hidden
    wanted = bags.indices[cells[hidden]]
    candidates, offsets = _candidates(wanted, shares, sampling, rng)
    amounts = bags.data[cells[hidden]].astype(np.float64)
    return Batch(
        inputs=inputs.astype(np.int64),
        members=members.astype(np.int64),
        starts=np.cumsum(n_shown) - n_shown,
        weights=bags.data[cells[shown]].astype(np.float32),
        candidates=candidates,
        offsets=offsets,
        rows=owners[hidden],
        columns=np.searchsorted(candidates, wanted).astype(np.int64),
        shares=(amounts / amounts.sum()).astype(np.float32),
    )


def _candidates(
    wanted: npt.NDArray[np.int32], shares: npt.NDArray[np.float64], sampling: Sampling, rng: np.random.Generator
) -> tuple[Places, npt.NDArray[np.float32]]:
    """Hidden items and evenly drawn ones, and how much to take off each for its chance of being among them.

    An item is a candidate with a chance of ``1 - exp(-e)``, e being how often it is expected among the draws.

    Source:
        Bengio and Senecal, "Adaptive importance sampling to accelerate training of a neural probabilistic language
        model", IEEE Trans. Neural Networks 2008; Yi et al., "Sampling-bias-corrected neural modeling for large
        corpus item recommendations", RecSys 2019.
    """
    n_items = shares.size
    if n_items <= ALL_ITEMS * sampling.n_negatives:
        return np.arange(n_items), np.zeros(n_items, dtype=np.float32)
    drawn = rng.integers(0, n_items, sampling.n_negatives)
    candidates = np.unique(np.concatenate([wanted, drawn])).astype(np.int64)
    expected = shares[candidates] * wanted.size + sampling.n_negatives / n_items
    chances = -np.expm1(-expected)
    return candidates, (sampling.correction * np.log(chances)).astype(np.float32)
