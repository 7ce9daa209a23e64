"""When somebody of the staff last proved who they are: a browser left open is not its owner."""

from __future__ import annotations

import time

from django.http import HttpRequest

from shop_reco.conf import reco_settings

SESSION = "reco_password_at"
"""Key in a session of when its owner last proved who they are, in Unix seconds."""


def note_password(request: HttpRequest) -> None:
    request.session[SESSION] = time.time()


def password_is_recent(request: HttpRequest) -> bool:
    """Whether the last sign-in or password of this session is younger than STAFF_PASSWORD_MINUTES."""
    at = request.session.get(SESSION)
    return isinstance(at, float) and 0 <= time.time() - at < 60 * reco_settings().STAFF_PASSWORD_MINUTES
