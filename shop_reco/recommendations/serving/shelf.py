"""The catalogue in the memory of a process: what lists choose products by, as columns; rows come later, by key."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import islice
from typing import Self

import numpy as np
import numpy.typing as npt

from reco_engine.data.interactions import codes_of
from shop_reco.products.filters import MOST_MONEY, ProductFilter, brands_named, categories_within, minor_units
from shop_reco.products.selectors import ShelfRow, shelf_rows
from shop_reco.products.tags import tags_in

Mask = npt.NDArray[np.bool_]
Keys = npt.NDArray[np.int64]
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MICROSECOND = dt.timedelta(microseconds=1)
ALWAYS, NEVER = -(2**62), 2**62
"""Windows without a beginning, and without an end, in microseconds."""
BLOCK = 20_000


@dataclass(frozen=True)
class Columns:
    """Products that may be listed whenever their windows are open, sorted by key, each of shape (n_products,).

    Attributes:
        categories, brands: Primary keys; 0 where there is none.
        prices: In minor units; -1 where it is unknown.
        opens, closes: Microseconds since 1970.
    """

    ids: Keys
    categories: npt.NDArray[np.int32]
    brands: npt.NDArray[np.int32]
    prices: npt.NDArray[np.int64]
    opens: npt.NDArray[np.int64]
    closes: npt.NDArray[np.int64]

    @classmethod
    def of(cls, rows: Collection[ShelfRow]) -> Self:
        size = len(rows)
        return cls(
            np.fromiter((row.pk for row in rows), np.int64, size),
            np.fromiter((row.category or 0 for row in rows), np.int32, size),
            np.fromiter((row.brand or 0 for row in rows), np.int32, size),
            np.fromiter((_minor(row.price) for row in rows), np.int64, size),
            np.fromiter((_moment(row.opens, ALWAYS) for row in rows), np.int64, size),
            np.fromiter((_moment(row.closes, NEVER) for row in rows), np.int64, size),
        )

    @classmethod
    def joined(cls, parts: Iterable[Columns]) -> Self:
        """Sorted by key."""
        some = list(parts) or [Columns.of([])]
        order = np.argsort(np.concatenate([part.ids for part in some]), kind="stable")
        return cls(*(np.concatenate([getattr(part, each.name) for part in some])[order] for each in fields(Columns)))

    def where(self, rows: Mask) -> Columns:
        return Columns(*(getattr(self, each.name)[rows] for each in fields(Columns)))


@dataclass(frozen=True)
class Tags:
    """Which products have which tag, as it is written: pairs of a key and a code, and the code of each name."""

    items: Keys
    codes: npt.NDArray[np.int32]
    names: dict[str, int]

    @classmethod
    def of(cls, rows: Iterable[ShelfRow]) -> Tags:
        names: dict[str, int] = {}
        pairs = [(row.pk, names.setdefault(tag, len(names))) for row in rows for tag in tags_in(row.tags)]
        table = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
        return cls(table[:, 0].copy(), table[:, 1].astype(np.int32), names)

    def with_(self, other: Tags, gone: Keys) -> Tags:
        """These without the products that are ``gone``, and the others; names that nothing has any more go, too."""
        kept = codes_of(np.sort(gone), self.items) < 0
        names = dict(self.names)
        renamed = np.asarray([names.setdefault(tag, len(names)) for tag in other.names], dtype=np.int32)
        items = np.concatenate([self.items[kept], other.items])
        codes = np.concatenate([self.codes[kept], renamed[other.codes]])
        if len(names) > codes.size + 1000:
            used, codes = np.unique(codes, return_inverse=True)
            found = {code: place for place, code in enumerate(used.tolist())}
            names = {tag: found[code] for tag, code in names.items() if code in found}
        return Tags(items, codes.astype(np.int32), names)

    def any_of(self, tags: Iterable[str]) -> Keys:
        """Keys of the products that have any of them, to the letter; one with two of them twice."""
        return self._with([self.names[tag] for tag in tags if tag in self.names])

    def of_name(self, tag: str) -> Keys:
        """Keys of the products that have it, in capitals or not."""
        return np.unique(self._with(self._folded.get(tag.strip().casefold(), [])))

    def _with(self, codes: list[int]) -> Keys:
        return self.items[np.isin(self.codes, codes)]

    @cached_property
    def _folded(self) -> dict[str, list[int]]:
        """The codes of each name, however it is written."""
        codes: dict[str, list[int]] = {}
        for name, code in self.names.items():
            codes.setdefault(name.strip().casefold(), []).append(code)
        return codes


@dataclass(frozen=True)
class Shelf:
    """The columns and the tags up to a revision of the catalogue."""

    revision: int
    columns: Columns
    tags: Tags

    @classmethod
    def read(cls, revision: int) -> Shelf:
        """All of it; one query."""
        rows, blocks, tags = shelf_rows(), list[Columns](), Tags.of([])
        while block := list(islice(rows, BLOCK)):
            blocks.append(Columns.of(block))
            tags = tags.with_(Tags.of(block), tags.items[:0])
        return cls(revision, Columns.joined(blocks), tags)

    def caught_up(self, revision: int) -> tuple[Shelf, Keys]:
        """With what changed since, and the keys of the products on it that did; one query."""
        changed = list(shelf_rows(after=self.revision))
        if not changed:
            return Shelf(revision, self.columns, self.tags), np.empty(0, np.int64)
        touched = np.fromiter((row.pk for row in changed), np.int64, len(changed))
        listed = [row for row in changed if row.listed]
        kept = self.columns.where(~self.among(touched))
        fresh = Columns.of(listed)
        return Shelf(revision, Columns.joined([kept, fresh]), self.tags.with_(Tags.of(listed), touched)), fresh.ids

    @property
    def ids(self) -> Keys:
        return self.columns.ids

    @cached_property
    def _windowed(self) -> Keys:
        """Places of the products that are not always on offer."""
        return np.flatnonzero((self.columns.opens > ALWAYS) | (self.columns.closes < NEVER))

    def open_at(self, now: int) -> tuple[Mask, int]:
        """Whose window is open at a moment, shape (n_products,), and the next moment at which one opens or closes."""
        mask, timed = np.ones(self.ids.size, dtype=bool), self._windowed
        opens, closes = self.columns.opens[timed], self.columns.closes[timed]
        mask[timed] = (opens <= now) & (now < closes)
        later = np.concatenate([opens[opens > now], closes[closes > now]])
        return mask, int(later.min(initial=NEVER))

    def places(self, ids: Collection[int] | Keys) -> Keys:
        """Where products are in the columns; those that are not there are left out."""
        found = codes_of(self.ids, ids if isinstance(ids, np.ndarray) else list(ids))
        return found[found >= 0]

    def among(self, ids: Collection[int] | Keys) -> Mask:
        """Which products are among ``ids``, shape (n_products,)."""
        mask = np.zeros(self.ids.size, dtype=bool)
        mask[self.places(ids)] = True
        return mask

    def in_categories(self, keys: Collection[int]) -> Mask:
        return np.isin(self.columns.categories, np.fromiter(keys, np.int32, len(keys)))

    def of_brands(self, keys: Collection[int]) -> Mask:
        return np.isin(self.columns.brands, np.fromiter(keys, np.int32, len(keys)))

    def priced(self, low: int | None, high: int | None) -> Mask:
        """Whose price is known and lies between two, in minor units."""
        prices = self.columns.prices
        mask = prices >= max(low or 0, 0)
        return mask if high is None else mask & (prices <= high)

    def passing(self, filter: ProductFilter) -> Mask:
        """What ``products.filters.filtered`` leaves of the products, shape (n_products,).

        A query for each field of brands that is given, two for each of categories.
        """
        mask, gone = np.ones(self.ids.size, dtype=bool), filter.without
        if filter.category is not None:
            mask &= self.in_categories(categories_within(slugs=[filter.category]))
        if filter.categories:
            mask &= self.in_categories(categories_within(slugs=filter.categories))
        if filter.brand is not None:
            mask &= self.of_brands(brands_named(names=[filter.brand]))
        if filter.brands:
            mask &= self.of_brands(brands_named(names=filter.brands))
        if filter.tags:
            mask &= self.among(self.tags.any_of(filter.tags))
        if filter.price_min is not None:
            mask &= self.priced(minor_units(filter.price_min, up=True), None)
        if filter.price_max is not None:
            mask &= self.priced(None, minor_units(filter.price_max, up=False))
        if gone.categories:
            mask &= ~self.in_categories(categories_within(slugs=gone.categories))
        if gone.brands:
            mask &= ~self.of_brands(brands_named(names=gone.brands))
        if gone.tags:
            mask &= ~self.among(self.tags.any_of(gone.tags))
        return mask


def microseconds(moment: dt.datetime) -> int:
    """Since 1970."""
    return (moment - EPOCH) // MICROSECOND


def _moment(moment: dt.datetime | None, missing: int) -> int:
    return missing if moment is None else microseconds(moment)


def _minor(price: float | None) -> int:
    """-1 where it is unknown; what is no number is dearer than everything, as databases have it."""
    if price is None:
        return -1
    return round(price * 100) if math.isfinite(price) and abs(price) < MOST_MONEY else MOST_MONEY + 1
