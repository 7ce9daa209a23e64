"""Training of the two small networks: the one file that imports torch, and only when it trains."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.errors import MissingDependencyError
from reco_engine.seeds import generator

from .bag_batches import Batch, Sampling, batches, n_batches
from .base import Progress
from .checkpoints import read_checkpoint, write_checkpoint

Arrays = dict[str, npt.NDArray[np.float32]]
THREADS = 2  # fixed, so that the same data gives the same bytes
SMALL = 100_000
"""Entries of all bags below which two threads wait for each other longer than they work."""
STEPS_A_WORD = 20
"""Steps between two words of progress within an epoch."""
ENTRIES = {"first": 0.2, "first_bias": 0.05, "second": 0.0125, "bias": 0.25}
"""What counts as a typical entry of the tables that start with zeros, or with entries of no meaning yet."""
SLOWEST = 0.02
"""Share of the learning rate that the last steps of the last epoch still move by."""


def threads_for(bags: sparse.csr_matrix) -> int:
    """How many threads train on so much data; from the data alone, so that it trains to the same bytes."""
    return THREADS if bags.nnz >= SMALL else 1


def _torch(threads: int = THREADS) -> Any:
    try:
        import torch
    except Exception as error:
        raise MissingDependencyError("torch is not installed or broken; install the extra `train`") from error
    torch.set_num_threads(threads)
    return torch


@dataclass(frozen=True)
class BagPlan:
    """How the bag network is trained.

    Attributes:
        learning_rate: Length of a step, as a share of a typical entry of the table that it moves.
        n_epochs: At most.
        patience: Epochs without a better validation figure after which training ends; None: never before the last.
    """

    sampling: Sampling
    n_epochs: int
    learning_rate: float
    temperature: float
    patience: int | None


@dataclass(frozen=True)
class BagTraining:
    """What training came to.

    Attributes:
        tables: As ``start_tables`` gives them, moved; of the best epoch where there is a validation figure.
        losses: Mean cross entropy of each epoch, in nats, shape (n_epochs_done,).
        figures: The validation figure of each epoch, shape (n_epochs_done,) or, without a slice, (0,).
    """

    tables: Arrays
    losses: list[float]
    figures: list[float]


def train_bag_network(
    bags: sparse.csr_matrix,
    start: Mapping[str, npt.NDArray[np.float32]],
    plan: BagPlan,
    *,
    seed: int,
    identity: str = "",
    validate: Callable[[Arrays], float] | None = None,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
) -> BagTraining:
    """Hide part of each bag and learn to score it above other items: a denoising autoencoder, multinomial loss.

    The softmax is over a sample of items, so that an epoch costs the same for a large catalogue as for a small
    one; a step moves the rows of the items that it touches and no others. All draws of an epoch come from the
    seed and its number, so that a fit which goes on from a checkpoint draws what it would have drawn.

    Args:
        bags: What each user took, weighted, shape (n_users, n_items).
        start: What ``start_tables`` gives.
        identity: A hash of whatever the result depends on; a checkpoint of another one is refused.
        validate: A figure of the tables so far, higher is better; None: the last epoch is kept.
        progress: Hears the loss after each epoch, once that epoch is in the checkpoint.
        checkpoint: A file that is written after each epoch and, where it exists, gone on from. It stays.
    Raises:
        MissingDependencyError: If torch cannot be imported.
        BadInputError: If the checkpoint is not one of this fit.
    Source:
        Liang et al., "Variational autoencoders for collaborative filtering", WWW 2018 (Mult-DAE); Jean et al.,
        "On using very large target vocabulary for neural machine translation", ACL 2015 (sampled softmax).
    """
    torch = _torch(threads_for(bags))
    tables = {name: _Table(torch, values, plan.learning_rate * _entry(name, values)) for name, values in start.items()}
    told = BagTraining({name: table.numpy() for name, table in tables.items()}, [], [])
    if checkpoint is not None:
        told = _read(checkpoint, identity, tables) or told
    n_steps = n_batches(bags, plan.sampling)
    while n_steps and len(told.losses) < plan.n_epochs and not _is_over(told.figures, plan.patience):
        loss = _epoch(torch, tables, bags, plan, len(told.losses), n_steps, seed, progress)
        now = {name: table.numpy() for name, table in tables.items()}
        figures = told.figures if validate is None else [*told.figures, validate(now)]
        is_best = len(figures) < 2 or figures[-1] > max(figures[:-1])
        told = BagTraining(now if is_best else told.tables, [*told.losses, loss], figures)
        if checkpoint is not None:
            _write(checkpoint, identity, tables, told)
        if progress is not None:
            progress(len(told.losses) / plan.n_epochs, loss)
    return told


def _is_over(figures: list[float], patience: int | None) -> bool:
    """Whether the best figure is ``patience`` epochs old."""
    return patience is not None and bool(figures) and len(figures) - 1 - int(np.argmax(figures)) >= patience


def _epoch(
    torch: Any,
    tables: dict[str, _Table],
    bags: sparse.csr_matrix,
    plan: BagPlan,
    epoch: int,
    n_steps: int,
    seed: int,
    progress: Progress | None,
) -> float:
    """One pass over the bags; the mean loss of its steps."""
    total = 0.0
    for step, batch in enumerate(batches(bags, plan.sampling, generator(seed, f"bag network epoch {epoch}"))):
        done = (epoch + step / n_steps) / plan.n_epochs
        total += _moved(torch, tables, batch, plan.temperature, max(1.0 - done, SLOWEST))
        if progress is not None and step % STEPS_A_WORD == 0:
            progress(done)
    return total / n_steps


def _read(checkpoint: Path, identity: str, tables: Mapping[str, _Table]) -> BagTraining | None:
    """Put the tables where they were, and tell what was learnt by then; None where nothing was written."""
    known = read_checkpoint(checkpoint, identity)
    if known is None:
        return None
    facts, arrays = known
    for name, table in tables.items():
        table.restore({part: arrays[f"{name}.{part}"] for part in _Table.PARTS})
    return BagTraining({name: arrays[f"{name}.best"] for name in tables}, facts["losses"], facts["figures"])


def _write(checkpoint: Path, identity: str, tables: Mapping[str, _Table], told: BagTraining) -> None:
    arrays: Arrays = {f"{name}.best": values for name, values in told.tables.items()}
    for name, table in tables.items():
        arrays |= {f"{name}.{part}": getattr(table, part).numpy() for part in _Table.PARTS}
    write_checkpoint(checkpoint, identity, {"losses": told.losses, "figures": told.figures}, arrays)


def bag_scores(
    tables: Mapping[str, npt.NDArray[np.float32]], bags: sparse.csr_matrix, temperature: float
) -> npt.NDArray[np.float32]:
    """Scores of all items by the very layers that training moves, shape (n_bags, n_items).

    Raises:
        MissingDependencyError: If torch cannot be imported.
    """
    torch = _torch(threads_for(bags))
    entries = (bags.indices.astype(np.int64), bags.indptr[:-1].astype(np.int64), bags.data.astype(np.float32))
    leaves = {name: torch.from_numpy(values) for name, values in tables.items()}
    users = _users(torch, leaves, *(torch.from_numpy(part) for part in entries))
    return np.asarray(_logits(torch, users, leaves, temperature).numpy())


def _moved(torch: Any, tables: dict[str, _Table], batch: Batch, temperature: float, pace: float) -> float:
    """One step along the slope of the loss, which is returned."""
    rows = {name: torch.arange(table.values.shape[0]) for name, table in tables.items()}
    rows["encoder"] = torch.from_numpy(batch.inputs)
    rows["decoder"] = rows["bias"] = torch.from_numpy(batch.candidates)
    leaves = {name: table.leaf(rows[name]) for name, table in tables.items()}
    entries = (torch.from_numpy(part) for part in (batch.members, batch.starts, batch.weights))
    users = _users(torch, leaves, *entries)
    logits = _logits(torch, users, leaves, temperature) - torch.from_numpy(batch.offsets)
    bags, columns = torch.from_numpy(batch.rows), torch.from_numpy(batch.columns)
    surprise = torch.logsumexp(logits, dim=1)[bags] - logits[bags, columns]
    loss = (surprise * torch.from_numpy(batch.shares)).sum()
    loss.backward()
    with torch.no_grad():
        for name, table in tables.items():
            table.move(rows[name], leaves[name].grad, pace)
    return float(loss.detach())


def _users(torch: Any, leaves: Mapping[str, Any], members: Any, starts: Any, weights: Any) -> Any:
    """As ``BagNetwork.users``, of entries that name rows of the encoder, shape (n_bags, n_factors)."""
    nn = torch.nn.functional
    bags = nn.embedding_bag(members, leaves["encoder"], starts, mode="sum", per_sample_weights=weights)
    inward = nn.normalize(bags, dim=1)
    return nn.normalize(inward + torch.tanh(inward @ leaves["first"] + leaves["first_bias"]) @ leaves["second"], dim=1)


def _logits(torch: Any, users: Any, leaves: Mapping[str, Any], temperature: float) -> Any:
    """As ``BagNetwork.scores``, of the decoder's rows, shape (n_bags, n_rows)."""
    return users @ torch.nn.functional.normalize(leaves["decoder"], dim=1).T / temperature + leaves["bias"].T


def _entry(name: str, values: npt.NDArray[np.float32]) -> float:
    return ENTRIES.get(name) or float(np.sqrt((values.astype(np.float64) ** 2).mean()))


class _Table:
    """A table and its Adam: the second moment is one number a row, and untouched rows rest.

    Source:
        Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015.
    """

    PARTS = ("values", "mean", "square", "steps")
    FIRST, SECOND = 0.9, 0.99

    def __init__(self, torch: Any, values: npt.NDArray[np.float32], length: float) -> None:
        self.values = torch.from_numpy(values.copy())
        self.mean = torch.zeros_like(self.values)
        self.square, self.steps = (torch.zeros(values.shape[0], 1) for _ in range(2))
        self._length = length

    def leaf(self, rows: Any) -> Any:
        """A copy of the rows that a slope can be taken for."""
        return self.values.index_select(0, rows).requires_grad_()

    def move(self, rows: Any, slope: Any, pace: float) -> None:
        """One step down the slope, shape (n_rows, n_columns); in place, as the memory it moves is what it costs."""
        steps = self.steps.index_select(0, rows) + 1
        sizes = slope.norm(dim=1, keepdim=True).square() / slope.shape[1]
        square = self.square.index_select(0, rows).lerp_(sizes, 1 - self.SECOND)
        mean = self.mean.index_select(0, rows).lerp_(slope, 1 - self.FIRST)
        self.steps.index_copy_(0, rows, steps)
        self.square.index_copy_(0, rows, square)
        self.mean.index_copy_(0, rows, mean)
        spread = (square / (1 - self.SECOND**steps)).sqrt() + 1e-10
        self.values.index_add_(0, rows, mean.mul_(-self._length * pace / (1 - self.FIRST**steps) / spread))

    def numpy(self) -> npt.NDArray[np.float32]:
        return self.values.numpy().copy()  # type: ignore[no-any-return]

    def restore(self, parts: Mapping[str, npt.NDArray[Any]]) -> None:
        for part in self.PARTS:
            getattr(self, part).copy_(getattr(self, part).new_tensor(parts[part]))


HELD_OUT = 0.2
"""Share of the items that judge how well the item network tells of new ones."""
MIXTURE_RATE = 0.02
FACTORS = (0.0, 0.1, 0.3, 1.0)
N_JUDGED = 1000


def train_item_network(
    features: sparse.csr_matrix,
    likeness: sparse.csr_matrix,
    targets: sparse.csr_matrix,
    takings: npt.NDArray[np.float64],
    *,
    expected: npt.NDArray[np.float64],
    n_hidden: int,
    n_factors: int,
    n_epochs: int,
    batch: int,
    dropout: float,
    learning_rate: float,
    weight_decay: float,
    seed: int,
    progress: Progress | None,
) -> Arrays:
    """Train item features -> tanh layer -> factors above zero, by a softmax over items for each user.

    Half of what a user took is the history, the other half is asked for, with chances
    ``takings_i (base + likeness + z_user.z_i)``. A fifth of the items is kept out of all of it; the epoch and the
    factors' share are those that foretell best who took which of these, with ``expected`` for their takings.

    Args:
        features: What the layer reads, shape (n_items, n_features).
        likeness: Rows whose products are the likeness of two items, shape (n_items, n_likeness).
        targets: What each user took, zero or more, shape (n_users, n_items).
        takings: How often each item is taken, above zero, shape (n_items,).
        expected: The same as told from its features alone, above zero, shape (n_items,).
        progress: Hears the mean loss after each epoch.
    Returns:
        ``first`` (n_features, n_hidden), ``first_bias``, ``second`` (n_hidden, n_factors), ``second_bias``; and
        ``shares``: those of base, likeness and factors, shape (3,), summing to 1.
    Raises:
        MissingDependencyError: If torch cannot be imported.
    Source:
        Volkovs, Yu and Poutanen, "DropoutNet: addressing cold start in recommender systems", NeurIPS 2017.
    """
    torch = _torch()
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    held = rng.random(features.shape[0]) < HELD_OUT
    network = _ItemNetwork(torch, features.shape[1], n_hidden, n_factors, seed)
    optimiser = torch.optim.Adam(
        [
            {"params": network.layers, "lr": learning_rate, "weight_decay": weight_decay},
            {"params": [network.mixture], "lr": MIXTURE_RATE},
        ]
    )
    seen = np.flatnonzero(~held)
    pairs = targets[:, seen]
    pairs = pairs[np.flatnonzero(np.diff(pairs.indptr) > 1)]
    judge = _Judge(features, likeness, targets, expected, held)
    best, kept = np.inf, network.arrays(0.0)
    logs = torch.tensor(np.log(takings[seen]), dtype=torch.float32)
    for epoch in range(n_epochs):
        losses: list[float] = []
        order = rng.permutation(pairs.shape[0])
        for start in range(0, order.size, batch):
            history, wanted = _halves(pairs[order[start : start + batch]], rng)
            alike = torch.from_numpy(_likeness(history, likeness[seen], likeness[seen]))
            vectors = network.vectors(_kept_cells(features[seen], dropout, rng))
            mine = torch.from_numpy(history.toarray())
            chances = network.chances(alike, (mine @ vectors) @ vectors.T).log() + logs
            chances = torch.log_softmax(chances.masked_fill(mine > 0, -1e4), dim=1)
            loss = -(torch.from_numpy(wanted.toarray()) * chances).sum(dim=1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
        for factor in FACTORS:
            arrays = network.arrays(factor)
            surprise = judge.surprise(arrays)
            if surprise < best:
                best, kept = surprise, arrays
        if progress is not None:
            progress((epoch + 1) / n_epochs, float(np.mean(losses)) if losses else None)
    return kept


def item_vectors(arrays: Arrays, features: sparse.csr_matrix) -> npt.NDArray[np.float32]:
    """The network's forward pass without torch: factors above zero, float32, shape (n_items, n_factors)."""
    hidden = np.tanh(features.astype(np.float32) @ arrays["first"] + arrays["first_bias"])
    return np.asarray(np.logaddexp(0.0, hidden @ arrays["second"] + arrays["second_bias"]), dtype=np.float32)


class _ItemNetwork:
    """The layers, and how much base, likeness and factors count, as logarithms."""

    def __init__(self, torch: Any, n_features: int, n_hidden: int, n_factors: int, seed: int) -> None:
        draws = torch.Generator().manual_seed(seed)
        self.torch = torch
        self.layers = [
            (torch.randn(n_features, n_hidden, generator=draws) * 0.3).requires_grad_(),
            torch.zeros(n_hidden, requires_grad=True),
            (torch.randn(n_hidden, n_factors, generator=draws) * n_hidden**-0.5).requires_grad_(),
            torch.full((n_factors,), -2.0, requires_grad=True),
        ]
        self.mixture = torch.tensor([-3.0, 0.0], requires_grad=True)

    def vectors(self, features: sparse.csr_matrix) -> Any:
        cells = features.tocoo()
        places = self.torch.from_numpy(np.stack([cells.row, cells.col]).astype(np.int64))
        values = self.torch.from_numpy(cells.data.astype(np.float32))
        inputs = self.torch.sparse_coo_tensor(places, values, cells.shape, check_invariants=False)
        first, first_bias, second, second_bias = self.layers
        hidden = self.torch.tanh(self.torch.sparse.mm(inputs, first) + first_bias)
        return self.torch.nn.functional.softplus(hidden @ second + second_bias)

    def chances(self, likeness: Any, products: Any) -> Any:
        base, alike = self.mixture.exp()
        return base + alike * likeness + products

    def arrays(self, factor: float) -> Arrays:
        names = ("first", "first_bias", "second", "second_bias")
        found = {name: layer.detach().numpy().copy() for name, layer in zip(names, self.layers, strict=True)}
        shares = np.append(self.mixture.detach().exp().numpy(), np.float32(factor))
        return {**found, "shares": shares / shares.sum()}


class _Judge:
    """How surprising it is who took which of the items that training did not see."""

    def __init__(
        self,
        features: sparse.csr_matrix,
        likeness: sparse.csr_matrix,
        targets: sparse.csr_matrix,
        expected: npt.NDArray[np.float64],
        held: npt.NDArray[np.bool_],
    ) -> None:
        wanted = targets[:, np.flatnonzero(held)]
        history = targets[:, np.flatnonzero(~held)]
        both = np.flatnonzero((np.diff(wanted.indptr) > 0) & (np.diff(history.indptr) > 0))[:N_JUDGED]
        self.history, self.wanted = _summing_to_one(history[both]), _summing_to_one(wanted[both])
        self.seen, self.held = features[np.flatnonzero(~held)], features[np.flatnonzero(held)]
        self.likeness = _likeness(self.history, likeness[np.flatnonzero(~held)], likeness[np.flatnonzero(held)])
        self.expected = expected[held]

    def surprise(self, arrays: Arrays) -> float:
        """Mean negative log-likelihood of a taking, in nats; infinite where there is nothing to judge by."""
        if self.wanted.shape[0] == 0:
            return float("inf")
        base, alike, factor = arrays["shares"].astype(np.float64)
        products = (self.history @ item_vectors(arrays, self.seen)) @ item_vectors(arrays, self.held).T
        chances = (base + alike * self.likeness + factor * products) * self.expected
        logs = np.log(np.maximum(chances / chances.sum(axis=1, keepdims=True), 1e-30))
        return float(-self.wanted.multiply(logs).sum() / self.wanted.shape[0])


def _likeness(
    history: sparse.csr_matrix, sources: sparse.csr_matrix, targets: sparse.csr_matrix
) -> npt.NDArray[np.float32]:
    """Each history's mean likeness to each target, shape (n_histories, n_targets)."""
    asked = np.ascontiguousarray((history @ sources).toarray().T, dtype=np.float32)
    return np.ascontiguousarray((targets @ asked).T)


def _halves(taken: sparse.csr_matrix, rng: np.random.Generator) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    first = rng.random(taken.nnz) < 0.5
    one, other = taken.copy(), taken.copy()
    one.data, other.data = one.data * first, other.data * ~first
    one.eliminate_zeros()
    return _summing_to_one(one), _summing_to_one(other)


def _summing_to_one(rows: sparse.csr_matrix) -> sparse.csr_matrix:
    sums = np.maximum(np.asarray(rows.sum(axis=1)).ravel(), 1e-9)
    return sparse.csr_matrix(sparse.diags(1.0 / sums) @ rows).astype(np.float32)


def _kept_cells(features: sparse.csr_matrix, dropout: float, rng: np.random.Generator) -> sparse.csr_matrix:
    """Features with some of their cells hidden and the others raised, so that no item is known by a single one."""
    data = features.data * (rng.random(features.nnz) >= dropout) / (1.0 - dropout)
    return sparse.csr_matrix((data, features.indices, features.indptr), features.shape)
