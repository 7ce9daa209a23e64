"""From scores to a list: candidates, blend, order, reasons."""

from .blending import Blend
from .diversity import Diversity, FeatureLikeness
from .ordering import recommend
from .pipeline import Hybrid
from .silence import Silence

__all__ = ["Blend", "Diversity", "FeatureLikeness", "Hybrid", "Silence", "recommend"]
