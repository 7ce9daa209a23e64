"""What can happen to recommenders, training runs, versions, lists and feedback."""

from .answers import count_day, forget_answers, forget_withdrawn, roll_up_answers
from .feedback import give_feedback, withdraw_feedback
from .reports import OF_PRODUCTS, forget_examples, keep_cleaning_report
from .reviews import MOST_REVIEWED, Reviewed, decide, review_feedback, take_back
from .runs import (
    MAX_ATTEMPTS,
    beat_heart,
    cancel_run,
    claim_next_run,
    fail_run,
    give_back,
    renew_lease,
    request_all,
    request_training,
    skip_run,
)
from .slates import keep_slates, trim_slates
from .switching import KINDS, PLACEMENTS, bump_serving_revision, ensure_recommenders, set_enabled, set_placement
from .unlearning import drop_masks, mask_users, request_unlearning
from .versions import mark_pruned, promote, promote_by_staff, refuse, roll_back

__all__ = [
    "KINDS",
    "MAX_ATTEMPTS",
    "MOST_REVIEWED",
    "OF_PRODUCTS",
    "PLACEMENTS",
    "Reviewed",
    "beat_heart",
    "bump_serving_revision",
    "cancel_run",
    "claim_next_run",
    "count_day",
    "decide",
    "drop_masks",
    "ensure_recommenders",
    "fail_run",
    "forget_answers",
    "forget_examples",
    "forget_withdrawn",
    "give_back",
    "give_feedback",
    "keep_cleaning_report",
    "keep_slates",
    "mark_pruned",
    "mask_users",
    "promote",
    "promote_by_staff",
    "refuse",
    "renew_lease",
    "request_all",
    "request_training",
    "request_unlearning",
    "review_feedback",
    "roll_back",
    "roll_up_answers",
    "set_enabled",
    "set_placement",
    "skip_run",
    "take_back",
    "trim_slates",
    "withdraw_feedback",
]
