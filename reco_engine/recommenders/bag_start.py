"""Where training of the bag network starts: the spectrum of who took what."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from .bag_network import directions

NOISE = 1e-3
"""Share of a typical entry that is random, so that no row is zero."""


def start_tables(
    bags: sparse.csr_matrix, *, n_factors: int, n_hidden: int, seed: int, rng: np.random.Generator
) -> dict[str, npt.NDArray[np.float32]]:
    """Tables whose scores are, before any training, those of a graph filter of rank ``n_factors``.

    With V the leading right singular vectors of ``D_u^-1/2 A D_i^-1/2``, A being who took what, an encoder row is
    ``V_i / n_i^1/2`` and a decoder row V_i; where the data has fewer dimensions, the others start as noise. The
    hidden layer starts with no say.

    Args:
        bags: Shape (n_users, n_items); what is above zero was taken.
    Returns:
        ``encoder`` (n_items, n_factors), ``first`` (n_factors, n_hidden), ``first_bias`` (1, n_hidden),
        ``second`` (n_hidden, n_factors), ``decoder`` (n_items, n_factors), ``bias`` (n_items, 1).
    Source:
        Shen et al., "How powerful is graph convolution for recommendation?", CIKM 2021 (GF-CF).
    """
    n_items = bags.shape[1]
    takers = np.maximum(np.bincount(bags.indices, minlength=n_items), 1)
    rank = min(n_factors, min(bags.shape) - 1)
    spectrum = np.zeros((n_items, n_factors))
    if rank > 0:
        ones = np.ones(bags.nnz, dtype=np.float32)
        taken = sparse.csr_matrix((ones, bags.indices, bags.indptr), bags.shape)
        sizes = np.maximum(np.diff(bags.indptr), 1)
        even = sparse.diags_array(sizes**-0.5) @ taken @ sparse.diags_array(takers**-0.5)
        from sklearn.utils.extmath import randomized_svd  # here: a web process does without

        spectrum[:, :rank] = randomized_svd(even.astype(np.float32), rank, n_iter=2, random_state=seed)[2].T
    noise = rng.standard_normal((n_items, n_factors)) * n_factors**-0.5
    share = NOISE if rank > 0 else 1.0
    encoder = spectrum * takers[:, None] ** -0.5
    encoder /= max(float(np.sqrt((encoder**2).sum(axis=1).mean())), 1e-9)
    tables = {
        "encoder": encoder + share * noise,
        "first": rng.standard_normal((n_factors, n_hidden)),
        "first_bias": np.zeros((1, n_hidden)),
        "second": np.zeros((n_hidden, n_factors)),
        "decoder": directions(directions(spectrum) + share * noise),
        "bias": np.zeros((n_items, 1)),
    }
    return {name: np.ascontiguousarray(table, dtype=np.float32) for name, table in tables.items()}
