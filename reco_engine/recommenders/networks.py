"""Training of the two small networks: the one file that imports torch, and only when it trains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.errors import MissingDependencyError

Arrays = dict[str, npt.NDArray[np.float32]]
THREADS = 2  # fixed, so that the same data gives the same bytes


def _torch() -> Any:
    try:
        import torch
    except Exception as error:
        raise MissingDependencyError("torch is not installed or broken; install the extra `train`") from error
    torch.set_num_threads(THREADS)
    return torch


def train_bag_network(
    bags: sparse.csr_matrix,
    targets: sparse.csr_matrix,
    *,
    n_hidden: int,
    n_epochs: int,
    batch: int,
    dropout: float,
    learning_rate: float,
    weight_decay: float,
    seed: int,
    progress: Callable[[float], None] | None,
) -> Arrays:
    """Train bag -> tanh layer -> softmax over all items with a multinomial loss, hiding part of each bag.

    Args:
        bags: What each user took, weighted, shape (n_users, n_items).
        targets: What the softmax should find, zero or more, shape (n_users, n_items).
    Returns:
        ``encoder`` (n_items, n_hidden), ``encoder_bias`` (n_hidden,), ``decoder`` (n_items, n_hidden),
        ``decoder_bias`` (n_items,).
    Raises:
        MissingDependencyError: If torch cannot be imported.
    Source:
        Liang et al., "Variational autoencoders for collaborative filtering", WWW 2018 (Mult-DAE).
    """
    torch = _torch()
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    n_users, n_items = bags.shape
    scale = 1.0 / np.sqrt(n_hidden)
    encoder = (torch.randn(n_items, n_hidden, generator=generator) * 0.05).requires_grad_()
    encoder_bias = torch.zeros(n_hidden, requires_grad=True)
    decoder = (torch.randn(n_items, n_hidden, generator=generator) * scale * 0.1).requires_grad_()
    popularity = np.asarray(targets.sum(axis=0)).ravel() + 0.5
    decoder_bias = torch.tensor(np.log(popularity / popularity.sum()), dtype=torch.float32, requires_grad=True)
    parameters = [encoder, encoder_bias, decoder, decoder_bias]
    optimiser = torch.optim.Adam(
        [
            {"params": [encoder, decoder], "weight_decay": weight_decay},
            {"params": [encoder_bias, decoder_bias], "weight_decay": 0.0},
        ],
        lr=learning_rate,
    )
    for epoch in range(n_epochs):
        order = torch.randperm(n_users, generator=generator).numpy()
        for start in range(0, n_users, batch):
            rows = order[start : start + batch]
            inputs = torch.from_numpy(bags[rows].toarray().astype(np.float32))
            wanted = torch.from_numpy(targets[rows].toarray().astype(np.float32))
            kept = (torch.rand(inputs.shape, generator=generator) >= dropout).float()
            inputs = torch.nn.functional.normalize(inputs * kept, dim=1)
            hidden = torch.tanh(inputs @ encoder + encoder_bias)
            log_shares = torch.log_softmax(hidden @ decoder.T + decoder_bias, dim=1)
            shares = wanted / wanted.sum(dim=1, keepdim=True).clamp_min(1e-9)
            loss = -(shares * log_shares).sum(dim=1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        if progress is not None:
            progress((epoch + 1) / n_epochs)
    names = ("encoder", "encoder_bias", "decoder", "decoder_bias")
    return {name: p.detach().numpy().copy() for name, p in zip(names, parameters, strict=True)}


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
    progress: Callable[[float], None] | None,
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
        for factor in FACTORS:
            arrays = network.arrays(factor)
            surprise = judge.surprise(arrays)
            if surprise < best:
                best, kept = surprise, arrays
        if progress is not None:
            progress((epoch + 1) / n_epochs)
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
