"""Recommenders and their versions, training runs, placements and rules, the lists served and what was said of them."""

from .placements import Placement, Rule
from .recommenders import Recommender, ServingState
from .runs import CleaningExample, TrainingRun
from .slates import Feedback, Slate
from .versions import ErasedRow, ModelVersion, Promotion

__all__ = [
    "CleaningExample",
    "ErasedRow",
    "Feedback",
    "ModelVersion",
    "Placement",
    "Promotion",
    "Recommender",
    "Rule",
    "ServingState",
    "Slate",
    "TrainingRun",
]
