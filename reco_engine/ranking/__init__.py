"""From scores to a list: candidates, blend, order, reasons."""

from .blending import Blend
from .pipeline import Hybrid, recommend

__all__ = ["Blend", "Hybrid", "recommend"]
