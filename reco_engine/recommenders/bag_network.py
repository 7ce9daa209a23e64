"""The network that a bag of items goes through, in numpy: what serving computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.types import Floats

TINY = 1e-12
"""A length below which a vector is left as it is, as torch's ``normalize`` does."""


@dataclass(frozen=True)
class BagNetwork:
    """Bag -> direction -> a hidden layer around it -> direction -> cosine with every item, over a temperature.

    With ``n = bag @ encoder`` at length 1, the user is ``u = n + tanh(n @ first + first_bias) @ second`` at length
    1, and an item's score ``decoder_i . u + bias_i``. The linear way around the hidden layer holds what most of the
    score comes from; the layer learns what no sum over the bag can say.

    Attributes:
        encoder: Shape (n_items, n_factors).
        first: Shape (n_factors, n_hidden).
        first_bias: Shape (n_hidden,).
        second: Shape (n_hidden, n_factors).
        decoder: Shape (n_items, n_factors); rows of length 1 / temperature.
        bias: Shape (n_items,).
    Source:
        He et al., "Deep residual learning for image recognition", CVPR 2016 (the way around);
        Mao et al., "SimpleX: a simple and strong baseline for collaborative filtering", CIKM 2021 (cosine scores).
    """

    encoder: Floats
    first: Floats
    first_bias: Floats
    second: Floats
    decoder: Floats
    bias: Floats

    @classmethod
    def of(cls, tables: Mapping[str, npt.NDArray[np.float32]], temperature: float) -> Self:
        """From the tables that training moves, where a decoder row may have any length."""
        decoder = directions(tables["decoder"]) / np.float32(temperature)
        return cls(
            tables["encoder"], tables["first"], tables["first_bias"][0], tables["second"], decoder, tables["bias"][:, 0]
        )

    def users(self, bags: sparse.csr_matrix) -> npt.NDArray[np.float32]:
        """The user of each bag, shape (n_bags, n_factors), for bags of shape (n_bags, n_items)."""
        inward = directions(bags @ self.encoder)
        return directions(inward + np.tanh(inward @ self.first + self.first_bias) @ self.second)

    def scores(self, bags: sparse.csr_matrix, places: npt.NDArray[np.int64] | None = None) -> npt.NDArray[np.float32]:
        """Scores of all items, or of those at ``places``, shape (n_bags, n_items or len(places))."""
        decoder, bias = (self.decoder, self.bias) if places is None else (self.decoder[places], self.bias[places])
        scores = self.users(bags) @ decoder.T
        scores += bias
        return np.asarray(scores, dtype=np.float32)


def directions(vectors: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.floating[Any]]:
    """Each row at length 1, shape as given."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), TINY))
