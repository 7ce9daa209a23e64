"""What can happen to recommenders, training runs, versions, lists and feedback."""

from .answers import count_day, forget_answers, forget_withdrawn, roll_up_answers
from .feedback import give_feedback, review_feedback
from .reports import OF_PRODUCTS, forget_examples, keep_cleaning_report
from .runs import MAX_ATTEMPTS, beat_heart, cancel_run, claim_next_run, fail_run, request_all, request_training
from .slates import keep_slates, trim_slates
from .switching import KINDS, PLACEMENTS, bump_serving_revision, ensure_recommenders, set_enabled
from .versions import drop_masks, mask_users, promote, roll_back

__all__ = [
    "KINDS",
    "MAX_ATTEMPTS",
    "OF_PRODUCTS",
    "PLACEMENTS",
    "beat_heart",
    "bump_serving_revision",
    "cancel_run",
    "claim_next_run",
    "count_day",
    "drop_masks",
    "ensure_recommenders",
    "fail_run",
    "forget_answers",
    "forget_examples",
    "forget_withdrawn",
    "give_feedback",
    "keep_cleaning_report",
    "keep_slates",
    "mask_users",
    "promote",
    "request_all",
    "request_training",
    "review_feedback",
    "roll_back",
    "roll_up_answers",
    "set_enabled",
    "trim_slates",
]
