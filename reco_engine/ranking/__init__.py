"""From scores to a list: candidates, blend, order, reasons."""

from .blending import Blend
from .ordering import recommend
from .pipeline import Hybrid

__all__ = ["Blend", "Hybrid", "recommend"]
