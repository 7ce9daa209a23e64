"""Which fields say who somebody is or what they wrote, and which are secrets: what pages and records leave out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Model

VIEW_PERSONAL_DATA = "reco_staff.view_personal_data"

PERSONAL: Mapping[str, tuple[str, ...]] = {
    "auth.User": ("username", "first_name", "last_name", "email"),
    "reco_users.Shopper": ("external_id", "user", "region", "member_since"),
    "reco_users.StaffRead": ("why",),
    "reco_events.Event": ("order", "text", "query", "digest"),
    "reco_events.RejectedEvent": ("payload", "message"),
    "reco_portraits.Portrait": ("counts", "summary"),
    "reco_portraits.PortraitEdit": ("key",),
    "reco_recommendations.Slate": ("context", "basis"),
    "reco_webhooks.WebhookDelivery": ("delivery_id", "why", "payload"),
}
"""By model, the fields that only whoever may view personal data sees; a page may hide columns of its own, too."""

SECRET: Mapping[str, tuple[str, ...]] = {
    "auth.User": ("password",),
    "reco_users.ApiKey": ("digest",),
    "reco_webhooks.WebhookSource": ("key", "secret", "previous_secret"),
    "reco_webhooks.WebhookDelivery": ("digest",),
}
"""The same for what nobody reads back."""


def may_see_personal_data(user: Any) -> bool:
    """Whether somebody of the staff may see who shoppers are; no query after the user's first permission."""
    return user is not None and bool(user.has_perm(VIEW_PERSONAL_DATA))


def personal_fields(model: type[Model]) -> tuple[str, ...]:
    return PERSONAL.get(model._meta.label, ())


def hidden_fields(model: type[Model]) -> frozenset[str]:
    """What no record of changes keeps in clear."""
    return frozenset([*personal_fields(model), *SECRET.get(model._meta.label, ())])
