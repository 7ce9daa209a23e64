"""Which role may do what: one table of Django's permissions, which the admin and the API ask for alike."""

from __future__ import annotations

from collections.abc import Mapping

from .models import Role

LOOK = (
    "reco_recommendations.view_recommender",
    "reco_recommendations.view_trainingrun",
    "reco_recommendations.view_modelversion",
    "reco_recommendations.view_placement",
    "reco_recommendations.view_rule",
    "reco_recommendations.view_slate",
    "reco_portraits.view_segmentation",
    "reco_products.view_product",
    "reco_products.view_category",
    "reco_products.view_brand",
    "reco_events.view_dataimport",
    "reco_staff.view_counts",
)
"""What says nothing of one shopper: whose a list was stays hidden without the right to view shoppers."""

ROLES: Mapping[Role.Kind, tuple[str, ...]] = {
    Role.Kind.VIEWER: LOOK,
    Role.Kind.MERCHANDISER: (
        *LOOK,
        "reco_recommendations.add_placement",
        "reco_recommendations.change_placement",
        "reco_recommendations.delete_placement",
        "reco_recommendations.add_rule",
        "reco_recommendations.change_rule",
        "reco_recommendations.delete_rule",
    ),
    Role.Kind.REVIEWER: (
        "reco_recommendations.view_feedback",
        "reco_recommendations.change_feedback",
        "reco_recommendations.view_slate",
        "reco_recommendations.view_placement",
        "reco_products.view_product",
        "reco_products.view_category",
        "reco_products.view_brand",
        "reco_users.view_shopper",  # under a pseudonym
    ),
    Role.Kind.ANALYST: (
        *LOOK,
        "reco_recommendations.add_trainingrun",  # start one
        "reco_recommendations.change_trainingrun",  # cancel one
        "reco_staff.cancel_trainings",
    ),
    Role.Kind.ADMINISTRATOR: (
        "reco_staff.*",
        "reco_users.*",
        "reco_products.*",
        "reco_events.*",
        "reco_portraits.*",
        "reco_recommendations.*",
        "reco_privacy.*",
        "reco_webhooks.*",
        "django_celery_beat.*",
        "auth.view_user",
        "auth.add_user",
        "auth.change_user",
        "auth.delete_user",
        "auth.view_group",
    ),
}
"""Permissions by role; ``app.*`` is each one of an app."""
