"""Where staff switch recommenders, retrain, roll back, set rules, and review what shoppers said."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin
from django.db.models import Model

from ..models import Feedback, ModelVersion, Placement, Recommender, Rule, Slate, TrainingRun
from .feedback import FeedbackAdmin
from .lists import PlacementAdmin, RuleAdmin, SlateAdmin
from .recommenders import RecommenderAdmin
from .training import ModelVersionAdmin, TrainingRunAdmin

ADMINS: dict[type[Model], type[ModelAdmin[Any]]] = {
    Recommender: RecommenderAdmin,
    TrainingRun: TrainingRunAdmin,
    ModelVersion: ModelVersionAdmin,
    Placement: PlacementAdmin,
    Rule: RuleAdmin,
    Slate: SlateAdmin,
    Feedback: FeedbackAdmin,
}
