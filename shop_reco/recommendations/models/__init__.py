"""Recommenders and their versions, training runs, placements and rules, the lists served and what was said of them."""

from .answers import AnswerCount, Arm, CountedDay, Credited, ListCount, ShopperAnswers, ShownProduct
from .placements import Placement, Rule
from .recommenders import Recommender, ServingState
from .reviews import Verdict
from .runs import CleaningExample, TrainingRun
from .slates import Feedback, Slate
from .versions import ErasedRow, ModelVersion, Promotion

__all__ = [
    "AnswerCount",
    "Arm",
    "CleaningExample",
    "CountedDay",
    "Credited",
    "ErasedRow",
    "Feedback",
    "ListCount",
    "ModelVersion",
    "Placement",
    "Promotion",
    "Recommender",
    "Rule",
    "ServingState",
    "ShopperAnswers",
    "ShownProduct",
    "Slate",
    "TrainingRun",
    "Verdict",
]
