"""Products that came after a training: what they are made of places them from their first list on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import structlog

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import codes_of
from reco_engine.types import Ids
from shop_reco.products.engine import catalogue_of

logger = structlog.get_logger(__name__)
MOST = 500
"""Newcomers that one request waits for, the newest; a bigger import has the others scored after the next training."""


def knowing(parts: Mapping[str, Any], shown: Ids) -> Mapping[str, Any]:
    """The parts, those that score by content knowing all of ``shown``; the same object where nothing is new.

    No list fails for it: what goes wrong is logged, and the newcomers wait for the next training.
    """
    try:
        wider = {name: _wider(part, shown) for name, part in parts.items() if hasattr(part, "with_catalogue")}
    except Exception:
        logger.exception("newcomers_not_scored")
        return parts
    changed = {name: part for name, part in wider.items() if part is not parts[name]}
    return {**parts, **changed} if changed else parts


def _wider(part: Any, shown: Ids) -> Any:
    new = np.sort(shown[codes_of(part.item_ids, shown) < 0])[-MOST:]
    return part.with_catalogue(_beside(part.item_ids, catalogue_of(ids=new.tolist()))) if new.size else part


def _beside(known: Ids, new: Catalogue) -> Catalogue:
    """One catalogue of both; a model that knows an item already does not look at what it is made of."""
    blank = known.size
    return Catalogue.from_columns(
        np.concatenate([known, new.item_ids]),
        text=[""] * blank + list(new.text or ()),
        category=[()] * blank + list(new.category or ()),
        brand=[""] * blank + list(new.brand or ()),
        price=np.concatenate([np.full(blank, np.nan), new.price]),
    )
