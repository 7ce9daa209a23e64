"""The shelf as one table: name to class."""

from __future__ import annotations

from dataclasses import fields
from importlib import import_module
from typing import Any, cast

import numpy as np

from .base import Recommender

BUILT_IN = {
    "popularity": "reco_engine.recommenders.popularity:Popularity",
    "trending": "reco_engine.recommenders.trending:Trending",
    "item_cf": "reco_engine.recommenders.item_cf:ItemCF",
    "user_cf": "reco_engine.recommenders.user_cf:UserCF",
    "content": "reco_engine.recommenders.content:ContentBased",
    "behaviour_mlp": "reco_engine.recommenders.behaviour_mlp:BehaviourMLP",
    "content_mlp": "reco_engine.recommenders.content_mlp:ContentMLP",
    "buy_again": "reco_engine.recommenders.buy_again:BuyAgain",
}


def class_of(name: str) -> type[Recommender]:
    """The class on the shelf under ``name``.

    Raises:
        KeyError: If there is none.
    """
    module, _, attribute = BUILT_IN[name].partition(":")
    return cast("type[Recommender]", getattr(import_module(module), attribute))


def create(name: str, **settings: Any) -> Recommender:
    """A new one of that name, not fitted yet."""
    return class_of(name)(**settings)


def open_settings(model: Any) -> list[str]:
    """Settings of an unfitted model that its fit will choose."""
    known = {field.name for field in fields(model)}
    return [name for name in sorted(known) if f"{name}_" in known and getattr(model, name) is None]


def found_settings(model: Any) -> dict[str, Any]:
    """What a fit chose for the settings that were left ``None``, by name; making one with them skips the search.

    Of a model whose other settings are the same: what was given is not told.
    """
    found = {}
    for field in fields(model):
        value = vars(model).get(f"{field.name}_")
        if field.init and value is not None and getattr(model, field.name) is None:
            found[field.name] = value.item() if isinstance(value, np.generic) else value
    return found
