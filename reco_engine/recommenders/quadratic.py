"""A logistic regression on features and their products, that leans on a belief held before it saw data."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


WIDEST = 4.0
"""Deviations beyond which a feature counts as no farther out: products must not run away from what was learnt."""


def standardised(features: Array, means: Array, deviations: Array) -> Array:
    """Features in deviations from their means, ``WIDEST`` at most, shape (n, k)."""
    return np.asarray(np.clip((features - means) / deviations, -WIDEST, WIDEST))


def products_of(features: Array) -> Array:
    """1, the features, and all products of two of them: shape (n, 1 + k + k (k + 1) / 2) of (n, k)."""
    left, right = np.triu_indices(features.shape[1])
    return np.hstack([np.ones((len(features), 1)), features, features[:, left] * features[:, right]])


def chances(logits: Array) -> Array:
    """The logistic function, without overflow."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -60.0, 60.0))))


def fit_logistic(columns: Array, outcomes: Array, belief: Array, strength: float) -> Array:
    """The most likely weights under a normal prior around ``belief``, shape (n_columns,).

    Args:
        columns: Shape (n, n_columns).
        outcomes: What happened, 0 to 1, shape (n,).
        belief: Weights before any data, shape (n_columns,).
        strength: Precision of the prior: about how many rows of data outweigh it. Above zero.
    """

    def loss(weights: Array) -> tuple[float, Array]:
        logits, away = columns @ weights, weights - belief
        value = np.logaddexp(0.0, logits).sum() - outcomes @ logits + strength * (away @ away) / 2
        gradient = columns.T @ (chances(logits) - outcomes) + strength * away
        return float(value) / len(outcomes), gradient / len(outcomes)

    from scipy import optimize  # here: a web process does without

    found = optimize.minimize(loss, belief, jac=True, method="L-BFGS-B", options={"maxiter": 300})
    return np.asarray(found.x, dtype=np.float64)
