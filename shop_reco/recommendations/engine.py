"""The door to the engine's shelf: which settings each recommender is made with."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from django.core.checks import CheckMessage, Error, register

from reco_engine.recommenders.registry import BUILT_IN, class_of
from shop_reco.conf import reco_settings

SMALLEST_GROUP = ("min_support", "min_users")
"""What recommenders call the shoppers that must stand behind whatever they use."""


def recommender_settings(kind: str) -> dict[str, Any]:
    """What a recommender is made with: the shop's smallest group, and what the host set for it."""
    reco = reco_settings()
    names = _names_of(kind)
    supported = {name: max(reco.MIN_SUPPORT, getattr(class_of(kind), name)) for name in SMALLEST_GROUP if name in names}
    return {**supported, **reco.RECOMMENDERS.get(kind, {})}


@register()
def check_recommenders(**kwargs: Any) -> list[CheckMessage]:
    """Every recommender and setting that SHOP_RECO['RECOMMENDERS'] names exists."""
    messages: list[CheckMessage] = []
    for kind, given in reco_settings().RECOMMENDERS.items():
        if kind not in BUILT_IN:
            known = ", ".join(sorted(BUILT_IN))
            text = f"SHOP_RECO['RECOMMENDERS'] has no recommender {kind!r}; known ones: {known}"
            messages.append(Error(text, id="shop_reco.E004"))
            continue
        for name in sorted(set(given) - _names_of(kind)):
            known = ", ".join(sorted(_names_of(kind)))
            text = f"SHOP_RECO['RECOMMENDERS'][{kind!r}] has no setting {name!r}; known ones: {known}"
            messages.append(Error(text, id="shop_reco.E005"))
    return messages


def stores_users(kind: str) -> bool:
    """Whether a recommender's versions hold rows of users, which can be masked one by one."""
    return kind in BUILT_IN and hasattr(class_of(kind), "without")


def _names_of(kind: str) -> set[str]:
    return {field.name for field in fields(class_of(kind)) if field.init}  # type: ignore[arg-type]
