"""The shelf as one table: name to class."""

from __future__ import annotations

from importlib import import_module
from typing import Any, cast

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
