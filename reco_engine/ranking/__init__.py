"""From scores to a list: candidates, blend, order, reasons."""

from .blending import Blend
from .diversity import Alike, Diversity, FeatureLikeness
from .exploration import Exploration, explored
from .ordering import recommend
from .pipeline import Hybrid
from .silence import Silence

__all__ = [
    "Alike", "Blend", "Diversity", "Exploration", "FeatureLikeness", "Hybrid", "Silence", "explored", "recommend",
]  # fmt: skip
