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


def train_item_network(
    features: npt.NDArray[np.float32],
    targets: sparse.csr_matrix,
    *,
    n_hidden: int,
    n_factors: int,
    n_epochs: int,
    batch: int,
    learning_rate: float,
    weight_decay: float,
    seed: int,
    progress: Progress | None,
) -> Arrays:
    """Train item features -> tanh layer -> a score for every user, by a softmax over items for each user.

    Args:
        features: Item features, shape (n_items, n_features).
        targets: What each user took, zero or more, shape (n_users, n_items).
    Returns:
        ``first`` (n_features, n_hidden), ``first_bias``, ``second`` (n_hidden, n_factors).
    Raises:
        MissingDependencyError: If torch cannot be imported.
    """
    torch = _torch()
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.from_numpy(features)
    n_users = targets.shape[0]
    first = (torch.randn(features.shape[1], n_hidden, generator=generator) * features.shape[1] ** -0.5).requires_grad_()
    first_bias = torch.zeros(n_hidden, requires_grad=True)
    second = (torch.randn(n_hidden, n_factors, generator=generator) * n_hidden**-0.5).requires_grad_()
    users = (torch.randn(n_users, n_factors, generator=generator) * 0.1).requires_grad_()
    popularity = np.asarray(targets.sum(axis=0)).ravel() + 0.5
    bias = torch.tensor(np.log(popularity / popularity.sum()), dtype=torch.float32)
    optimiser = torch.optim.Adam([first, first_bias, second, users], lr=learning_rate, weight_decay=weight_decay)
    for epoch in range(n_epochs):
        order = torch.randperm(n_users, generator=generator).numpy()
        for start in range(0, n_users, batch):
            rows = order[start : start + batch]
            wanted = torch.from_numpy(targets[rows].toarray().astype(np.float32))
            vectors = torch.tanh(inputs @ first + first_bias) @ second
            log_shares = torch.log_softmax(users[rows] @ vectors.T + bias, dim=1)
            shares = wanted / wanted.sum(dim=1, keepdim=True).clamp_min(1e-9)
            loss = -(shares * log_shares).sum(dim=1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        if progress is not None:
            progress((epoch + 1) / n_epochs)
    return {
        "first": first.detach().numpy().copy(),
        "first_bias": first_bias.detach().numpy().copy(),
        "second": second.detach().numpy().copy(),
    }
