"""Who of the staff may do what: Django's permissions, as in the admin; nobody else may do anything."""

from __future__ import annotations

from typing import Any

from shop_reco.api.context import Info
from shop_reco.api.errors import ApiError
from shop_reco.staff.second_factor import works_as_staff


def need(info: Info, *permissions: str) -> Any:
    """The signed-in member of the staff, who has the permissions of the recommendations app.

    Raises:
        ApiError: FORBIDDEN, the same for whoever is no staff and for staff without the permission.
    """
    info.context.begin()
    user = info.context.identity.user
    names = [f"reco_recommendations.{permission}" for permission in permissions]
    if user is None or not works_as_staff(info.context.request) or not user.has_perms(names):
        raise ApiError("FORBIDDEN", "this needs a signed-in member of the staff who may do it in the admin")
    return user
