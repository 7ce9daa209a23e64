"""May an item be in this list at all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reco_engine.data.interactions import codes_of
from reco_engine.errors import BadInputError
from reco_engine.types import Ids, Items


def eligible(
    item_ids: Ids, *, allowed: npt.NDArray[np.bool_] | None = None, exclude: Items = ()
) -> npt.NDArray[np.bool_]:
    """Which of ``item_ids`` are allowed and not excluded, shape (n_items,).

    Args:
        item_ids: Sorted.
        allowed: What the shop may show, shape (n_items,); everything when missing.
        exclude: What must not be shown to this shopper: seen, refused, in the basket. Unknown ids are ignored.
    Raises:
        BadInputError: If ``allowed`` is not one truth value an item.
    """
    if allowed is None:
        open_ = np.ones(item_ids.size, dtype=bool)
    elif allowed.shape != item_ids.shape or allowed.dtype != np.bool_:
        raise BadInputError(f"allowed must be bool of shape {item_ids.shape}, not {allowed.dtype} of {allowed.shape}")
    else:
        open_ = allowed.copy()
    closed = codes_of(item_ids, exclude)
    open_[closed[closed >= 0]] = False
    return open_
