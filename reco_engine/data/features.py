"""From a catalogue to one feature matrix: category path, brand, price band, attributes, words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from reco_engine.types import Floats

from .catalogue import Catalogue

Keys = npt.NDArray[np.uint64]
CJK = re.compile(r"[぀-ヿ㐀-䶿一-鿿가-힯]")
WORD = re.compile(r"\w+", re.UNICODE)


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


def key_of(kind: str, name: str) -> int:
    """The 64-bit number that a feature goes by in every catalogue, whatever else is in it."""
    return int.from_bytes(hashlib.blake2b(f"{kind}\x1f{name}".encode(), digest_size=8).digest(), "little")


def feature_matrix(catalogue: Catalogue, keys: Keys | None = None) -> tuple[sparse.csr_matrix, Keys]:
    """Items by features, and the key of each feature, sorted.

    A cell is 1 for each level of the category path, brand, price band and attribute; an item's character
    n-grams share a length of 1, so that a long title counts no more. What is missing of an item is no feature.

    Args:
        keys: The features wanted, sorted, shape (n_features,); all that occur when missing. One that is not
            among them is left out, and what is left of its item is as if it had been there.
    Returns:
        Shape (n_items, n_features), float64, columns sorted; and the keys, shape (n_features,).
    """
    parts = [*_named_keys(catalogue), *_worded_keys(catalogue)]
    rows = np.repeat(np.arange(len(parts)) % max(len(catalogue), 1), [part.size for part in parts])
    cells = np.concatenate([np.empty(0, dtype=np.uint64), *parts])
    worded = np.asarray([part.size for part in parts[len(catalogue) :]], dtype=np.float64)
    values = np.ones(cells.size)
    values[cells.size - int(worded.sum()) :] = np.repeat(np.maximum(worded, 1.0) ** -0.5, worded.astype(np.int64))
    found = np.unique(cells) if keys is None else keys
    places = np.minimum(np.searchsorted(found, cells), max(found.size - 1, 0))
    known = found[places] == cells if found.size else np.zeros(cells.size, dtype=bool)
    shape = (len(catalogue), found.size)
    matrix = sparse.csr_matrix((values[known], (rows[known], places[known])), shape=shape)
    matrix.sort_indices()
    return matrix, found


def learnt_features(
    catalogue: Catalogue,
    taken: sparse.csr_matrix,
    *,
    rng: np.random.Generator,
    least: float = 0.05,
    min_support: int = 1,
) -> tuple[sparse.csr_matrix, Keys, npt.NDArray[np.float64]]:
    """The features that say something of taste, weighted by how much; those under ``least`` are left out.

    Args:
        taken: Which items of the catalogue each user took, shape (n_users, n_items).
    Returns:
        The weighted features, shape (n_items, n_features), float32; their keys, sorted, and weights, (n_features,).
    """
    features, keys = feature_matrix(catalogue)
    weights = lifts(features, taken, rng=rng, min_support=min_support)
    kept = np.flatnonzero(weights >= least)
    return weighted_features(features[:, kept], weights[kept]), keys[kept], weights[kept]


MOST_CELLS = 40_000_000
"""Features of items taken that are looked at, at most."""


def lifts(
    features: sparse.csr_matrix,
    taken: sparse.csr_matrix,
    *,
    rng: np.random.Generator | None = None,
    pseudo_pairs: float = 10.0,
    most_cells: int | None = None,
    min_support: int = 1,
) -> npt.NDArray[np.float64]:
    """How much more often two items of one user share a feature than two items taken at random do.

    A feature that says nothing of taste comes to zero; one that few pairs speak of stays near a guess by its
    rarity, so that a shop without a single purchase has a weighting as well.

    Args:
        features: Shape (n_items, n_features).
        taken: What each user took, shape (n_users, n_items).
        rng: Draws the users to learn from where there are too many.
        pseudo_pairs: How many pairs the guess counts as.
        most_cells: Features of items taken that are looked at, at most, ``MOST_CELLS`` when missing; it bounds the
            time. Users are drawn until it is reached, and memory holds a tenth of it at a time.
        min_support: Users with a pair that shares a feature, below which it keeps the guess.
    Returns:
        Logarithms of the ratios, zero or more, shape (n_features,), float64.
    """
    has = sparse.csr_matrix((np.ones(features.nnz), features.indices, features.indptr), features.shape)
    took = sparse.csr_matrix((np.ones(taken.nnz), taken.indices, taken.indptr), taken.shape)
    costs, most_cells = took @ np.diff(has.indptr), most_cells or MOST_CELLS
    took = took[some_users(costs, most_cells, rng or np.random.default_rng(0))]
    together, support = np.zeros(has.shape[1]), np.zeros(has.shape[1], dtype=np.int64)
    for rows in _blocks(took @ np.diff(has.indptr), most_cells // 10):
        counts = sparse.csr_matrix(took[rows] @ has)
        together += np.bincount(counts.indices, counts.data**2 - counts.data, minlength=has.shape[1])
        support += np.bincount(counts.indices[counts.data >= 2], minlength=has.shape[1])
    sizes = np.asarray(took.sum(axis=1)).ravel()
    shares = np.asarray(has.T @ np.asarray(took.sum(axis=0)).ravel()) / max(float(sizes.sum()), 1.0)
    expected = shares**2 * float((sizes * (sizes - 1)).sum())
    if min_support > 1:
        together, expected = (np.where(support >= min_support, pairs, 0.0) for pairs in (together, expected))
    rarity = (features.shape[0] + 1) / (np.bincount(has.indices, minlength=has.shape[1]) + 1)
    ratio = (together + pseudo_pairs * rarity**0.25) / (expected + pseudo_pairs)
    return np.maximum(np.log(np.maximum(ratio, 1e-12)), 0.0)


def weighted_features(features: sparse.csr_matrix, weights: Floats) -> sparse.csr_matrix:
    """Features whose products of two rows sum the weights of what both have, float32, of the same shape.

    Rows are divided by the root of their length, half way between raw sums (which favour items of which
    much is known) and cosines (which favour those of which little is). A row depends on no other.
    """
    matrix = sparse.csr_matrix(features @ sparse.diags(np.sqrt(np.asarray(weights, dtype=np.float64))))
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    scaled = sparse.csr_matrix(sparse.diags(np.where(lengths > 0, lengths, 1.0) ** -0.5) @ matrix)
    scaled.sort_indices()
    return scaled.astype(np.float32)


def _named_keys(catalogue: Catalogue) -> list[Keys]:
    """The keys of each item's category levels, brand, price band and attributes."""
    n_items = len(catalogue)
    bands = np.full(n_items, -1) if catalogue.price is None else price_bands(catalogue.price)
    columns = zip(
        catalogue.category or [()] * n_items,
        catalogue.brand or [""] * n_items,
        bands.tolist(),
        catalogue.attributes or [{}] * n_items,
        strict=True,
    )
    key = cache(key_of)
    rows = []
    for path, brand, band, attributes in columns:
        names = [("category", " > ".join(path[: depth + 1])) for depth in range(len(path))]
        names += [("brand", brand)] if brand else []
        names += [("price", str(band))] if band >= 0 else []
        names += [("attribute", f"{name}={value}") for name, value in attributes.items() if _is_known(value)]
        rows.append(np.unique(np.asarray([key(*each) for each in names], dtype=np.uint64)))
    return rows


def _worded_keys(catalogue: Catalogue) -> list[Keys]:
    """The keys of each item's character n-grams; a text, and a word, that comes again is not cut again."""
    ngram = cache(key_of)
    none = np.empty(0, dtype=np.uint64)

    @cache
    def of_word(word: str) -> Keys:
        return np.asarray([ngram("text", run) for run in character_ngrams(word)], dtype=np.uint64)

    @cache
    def of_text(text: str) -> Keys:
        return np.unique(np.concatenate([none, *map(of_word, WORD.findall(text))]))

    return [of_text(text.lower()) for text in catalogue.text or [""] * len(catalogue)]


def _is_known(value: Any) -> bool:
    return value is not None and value != "" and value == value  # NaN equals nothing


def some_users(costs: npt.NDArray[np.float64], most_cells: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """All users, or as many at random as ``most_cells`` allows, one at least, in their order."""
    if float(costs.sum()) <= most_cells:
        return np.arange(costs.size)
    order = rng.permutation(costs.size)
    return np.sort(order[: max(int(np.searchsorted(np.cumsum(costs[order]), most_cells, side="right")), 1)])


def _blocks(costs: npt.NDArray[np.float64], most_cells: int) -> list[npt.NDArray[np.int64]]:
    """Consecutive rows in groups that cost ``most_cells`` or little more."""
    group = (np.cumsum(costs) // max(most_cells, 1)).astype(np.int64)
    return np.split(np.arange(costs.size), np.flatnonzero(np.diff(group)) + 1) if costs.size else []
