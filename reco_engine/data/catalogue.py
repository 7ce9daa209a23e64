"""All items with what is known of them, as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from reco_engine.errors import BadInputError
from reco_engine.types import Ids

from .interactions import _ids

T = TypeVar("T")


@dataclass(frozen=True)
class Catalogue:
    """One row an item, sorted by id; a missing column is None, a missing value empty or NaN."""

    item_ids: Ids
    text: tuple[str, ...] | None = None
    category: tuple[tuple[str, ...], ...] | None = None
    brand: tuple[str, ...] | None = None
    price: np.ndarray[Any, np.dtype[np.float64]] | None = None
    attributes: tuple[Mapping[str, Any], ...] | None = None

    @classmethod
    def from_columns(
        cls,
        item_ids: Any,
        text: Sequence[str] | None = None,
        category: Sequence[Sequence[str]] | None = None,
        brand: Sequence[str] | None = None,
        price: Any = None,
        attributes: Sequence[Mapping[str, Any]] | None = None,
    ) -> Catalogue:
        """Build from columns of one length; ``category`` holds paths of names from the root.

        Raises:
            BadInputError: If an id comes twice, a column has another length, or a price is negative or infinite.
        """
        ids = _ids(item_ids)
        order = np.argsort(ids, kind="stable")
        if np.unique(ids).size != ids.size:
            raise BadInputError("item_ids must be unique; merge the rows of one item first")
        for name, column in {
            "text": text, "category": category, "brand": brand, "price": price, "attributes": attributes
        }.items():  # fmt: skip
            if column is not None and len(column) != ids.size:
                raise BadInputError(f"{name} must have one value per item: {ids.size}, not {len(column)}")
        prices = None if price is None else np.asarray(price, dtype=np.float64)[order]
        if prices is not None and (np.any(prices < 0) or np.any(np.isinf(prices))):
            raise BadInputError("price must be zero or more and finite; NaN says that it is unknown")
        return cls(
            item_ids=ids[order],
            text=None if text is None else tuple(str(text[i] or "") for i in order),
            category=None if category is None else tuple(tuple(category[i]) for i in order),
            brand=None if brand is None else tuple(str(brand[i] or "") for i in order),
            price=prices,
            attributes=None if attributes is None else tuple(dict(attributes[i]) for i in order),
        )

    def where(self, places: npt.NDArray[np.int64]) -> Catalogue:
        """The rows at ``places``, which ascend."""
        return Catalogue(
            item_ids=self.item_ids[places],
            text=_chosen(self.text, places),
            category=_chosen(self.category, places),
            brand=_chosen(self.brand, places),
            price=None if self.price is None else self.price[places],
            attributes=_chosen(self.attributes, places),
        )

    def __len__(self) -> int:
        return int(self.item_ids.size)


def _chosen(column: tuple[T, ...] | None, places: npt.NDArray[np.int64]) -> tuple[T, ...] | None:
    return None if column is None else tuple(column[place] for place in places)
