"""From a catalogue to one feature matrix: category path, brand, price band, attributes, words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer

from .catalogue import Catalogue

CJK = re.compile(r"[぀-ヿ㐀-䶿一-鿿가-힯]")
WORD = re.compile(r"\w+", re.UNICODE)
N_TEXT_FEATURES = 2**14


def character_ngrams(text: str) -> Iterator[str]:
    """Runs of 1-2 characters in CJK text, of 3-5 within words elsewhere."""
    for word in WORD.findall(text.lower()):
        if CJK.search(word):
            yield from (word[i : i + n] for n in (1, 2) for i in range(len(word) - n + 1))
        else:
            padded = f" {word} "
            yield from (padded[i : i + n] for n in (3, 4, 5) for i in range(len(padded) - n + 1))


def price_bands(prices: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Two bands to each doubling of the price; -1 where it is unknown, shape (n_items,)."""
    known = np.isfinite(prices)
    bands = np.full(prices.shape, -1, dtype=np.int64)
    bands[known] = np.floor(2 * np.log2(np.maximum(prices[known], 0.01) / 0.01)).astype(np.int64)
    return bands


def feature_matrix(catalogue: Catalogue) -> sparse.csr_matrix:
    """Items by features, shape (n_items, n_features): 1 for each level of the category path, brand, price band
    and attribute; an item's character n-grams share a length of 1, so that a long title counts no more.
    """
    n_items = len(catalogue)
    paths = ([" > ".join(path[: d + 1]) for d in range(len(path))] for path in catalogue.category or [()] * n_items)
    names = ([name] if name else [] for name in catalogue.brand or [""] * n_items)
    bands = np.full(n_items, -1) if catalogue.price is None else price_bands(catalogue.price)
    prices = ([str(band)] if band >= 0 else [] for band in bands)
    pairs = ([f"{key}={value}" for key, value in row.items()] for row in catalogue.attributes or [{}] * n_items)
    blocks = [_one_hot(rows, n_items) for rows in (paths, names, prices, pairs)]
    if catalogue.text is not None and n_items:
        hashing = HashingVectorizer(
            analyzer=character_ngrams, n_features=N_TEXT_FEATURES, alternate_sign=False, binary=True
        )
        blocks.append(hashing.transform(catalogue.text).tocsr())
    return sparse.csr_matrix(sparse.hstack(blocks, format="csr"))


def lifts(features: sparse.csr_matrix, taken: sparse.csr_matrix, *, pseudo_pairs: float = 10.0) -> Any:
    """How much more often two items of one user share a feature than two items taken at random do.

    A feature that says nothing of taste comes to zero; one that few pairs speak of stays near a guess by its
    rarity, so that a shop without a single purchase has a weighting as well.

    Args:
        features: Shape (n_items, n_features).
        taken: What each user took, shape (n_users, n_items).
        pseudo_pairs: How many pairs the guess counts as.
    Returns:
        Logarithms of the ratios, zero or more, shape (n_features,), float64.
    """
    has, took = features.copy(), taken.copy()
    has.data, took.data = np.ones_like(has.data), np.ones_like(took.data, dtype=np.float64)
    counts = sparse.csr_matrix(took @ has)
    together = np.asarray((counts.multiply(counts) - counts).sum(axis=0)).ravel()
    sizes = np.asarray(took.sum(axis=1)).ravel()
    shares = np.asarray(has.T @ took.sum(axis=0).A1).ravel() / max(float(sizes.sum()), 1.0)
    expected = shares**2 * float((sizes * (sizes - 1)).sum())
    rarity = (features.shape[0] + 1) / (np.bincount(has.indices, minlength=has.shape[1]) + 1)
    ratio = (together + pseudo_pairs * rarity**0.25) / (expected + pseudo_pairs)
    return np.maximum(np.log(np.maximum(ratio, 1e-12)), 0.0)


def weighted_features(features: sparse.csr_matrix, weights: Any, *, least: float = 0.05) -> sparse.csr_matrix:
    """Features whose products of two rows sum the weights of what both have; those under ``least`` are left out.

    Rows are divided by the root of their length, half way between raw sums (which favour items of which
    much is known) and cosines (which favour those of which little is).
    """
    kept = np.flatnonzero(weights >= least)
    matrix = sparse.csr_matrix(features[:, kept] @ sparse.diags(np.sqrt(weights[kept])))
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.csr_matrix(sparse.diags(np.where(lengths > 0, lengths, 1.0) ** -0.5) @ matrix)


def _one_hot(rows: Iterable[Iterable[str]], n_items: int) -> sparse.csr_matrix:
    names: dict[str, int] = {}
    indices: list[int] = []
    starts = [0]
    for row in rows:
        indices.extend(names.setdefault(name, len(names)) for name in row)
        starts.append(len(indices))
    return sparse.csr_matrix((np.ones(len(indices)), indices, starts), shape=(n_items, len(names)))
