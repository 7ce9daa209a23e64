"""What is compared before anything goes live: a kind and its settings, not what one fit made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from reco_engine.ranking import Hybrid
from reco_engine.recommenders.base import Recommender
from reco_engine.recommenders.registry import create

Factory = Callable[[], Recommender]
"""Makes a recommender that is not fitted yet."""


@dataclass(frozen=True)
class Recipe:
    """Makes an unfitted recommender of a kind; two that are equal need no comparison.

    Attributes:
        settings: By name; for the hybrid by part, then by name. One left out, or ``None``, is chosen by the fit.
    """

    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self) -> Recommender:
        """A new one.

        Raises:
            KeyError: If there is no recommender of that kind.
            TypeError: If it has no such setting.
        """
        if self.kind == Hybrid.name:
            return Hybrid({name: create(name, **given) for name, given in self.settings.items()})
        return create(self.kind, **self.settings)
