"""From a catalogue to one feature matrix: category path, brand, price band, attributes, words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer

from .catalogue import Catalogue

CJK = re.compile(r"[぀-ヿ㐀-䶿一-鿿가-힯]")
WORD = re.compile(r"\w+", re.UNICODE)
GROUPS = ("category", "brand", "price", "attribute", "text")


@dataclass(frozen=True)
class FeatureMatrix:
    """Items by features, rows of length 1; ``groups`` says which of GROUPS each feature belongs to."""

    matrix: sparse.csr_matrix
    groups: npt.NDArray[np.int8]


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


def feature_matrix(
    catalogue: Catalogue,
    *,
    category: float = 1.0,
    brand: float = 0.5,
    price: float = 0.2,
    attribute: float = 0.4,
    text: float = 0.5,
    n_text_features: int = 2**14,
) -> FeatureMatrix:
    """Build the matrix; the numbers weigh the groups against each other.

    Each group's block is weighted by inverse document frequency and brought to the group's weight, so
    that a long title counts no more than a short one; then each row is brought to length 1.
    """
    n_items = len(catalogue)
    blocks: list[tuple[sparse.csr_matrix, float]] = []
    if catalogue.category is not None:
        paths = ([" > ".join(path[: d + 1]) for d in range(len(path))] for path in catalogue.category)
        blocks.append((_one_hot(paths, n_items), category))
    else:
        blocks.append((_nothing(n_items), 0.0))
    names = ([name] if name else [] for name in catalogue.brand or [""] * n_items)
    blocks.append((_one_hot(names, n_items), brand))
    bands = price_bands(catalogue.price) if catalogue.price is not None else np.full(n_items, -1)
    blocks.append((_one_hot(([str(band)] if band >= 0 else [] for band in bands), n_items), price))
    pairs = ([f"{key}={value}" for key, value in row.items()] for row in catalogue.attributes or [{}] * n_items)
    blocks.append((_one_hot(pairs, n_items), attribute))
    if catalogue.text is not None and n_items:
        hashing = HashingVectorizer(analyzer=character_ngrams, n_features=n_text_features, alternate_sign=False)
        blocks.append((hashing.transform(catalogue.text).tocsr(), text))
    else:
        blocks.append((_nothing(n_items), 0.0))
    weighted = [_weighted(block, weight) for block, weight in blocks]
    matrix = _unit_rows(sparse.hstack(weighted, format="csr"))
    groups = np.repeat(np.arange(len(GROUPS), dtype=np.int8), [block.shape[1] for block in weighted])
    return FeatureMatrix(matrix, groups)


def _nothing(n_items: int) -> sparse.csr_matrix:
    return sparse.csr_matrix((n_items, 0))


def _one_hot(rows: Iterable[Iterable[str]], n_items: int) -> sparse.csr_matrix:
    names: dict[str, int] = {}
    indices: list[int] = []
    starts = [0]
    for row in rows:
        indices.extend(names.setdefault(name, len(names)) for name in row)
        starts.append(len(indices))
    return sparse.csr_matrix((np.ones(len(indices)), indices, starts), shape=(n_items, len(names)))


def _weighted(block: sparse.csr_matrix, weight: float) -> sparse.csr_matrix:
    if block.shape[1] == 0:
        return block
    frequency = np.bincount(block.indices, minlength=block.shape[1])
    idf = np.log((1 + block.shape[0]) / (1 + frequency)) + 1
    return _unit_rows(block @ sparse.diags(idf)) * weight


def _unit_rows(matrix: Any) -> sparse.csr_matrix:
    matrix = matrix.tocsr()
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return sparse.csr_matrix(sparse.diags(1.0 / np.where(norms > 0, norms, 1.0)) @ matrix)
