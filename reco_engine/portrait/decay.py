"""How interest fades with age; the formula itself is below, since what normalises data needs it, too."""

from __future__ import annotations

from reco_engine.data.decay import half_life_weights

__all__ = ["half_life_weights"]
