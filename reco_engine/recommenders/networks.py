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
    progress: Callable[[float], None] | None,
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
