"""The secrets that visitors' cookies carry: issued, followed by new ones, ended."""

from __future__ import annotations

import datetime as dt
import secrets

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from shop_reco.conf import reco_settings

from .models import Shopper, VisitorToken
from .selectors import digest_of

SECRET_BYTES = 16


@transaction.atomic
def issue_token(*, shopper: Shopper) -> str:
    """Make the visitor a secret for their cookie; it is returned here and never again."""
    secret = secrets.token_hex(SECRET_BYTES)
    VisitorToken.objects.create(shopper=shopper, digest=digest_of(secret), issued_at=timezone.now())
    return secret


@transaction.atomic
def confirm_token(*, token: VisitorToken) -> None:
    """Note that a secret came back; those before it end VISITOR_GRACE later, for what is still on its way."""
    now = timezone.now()
    if VisitorToken.objects.filter(pk=token.pk, seen_at__isnull=True).update(seen_at=now):
        earlier = VisitorToken.objects.filter(shopper=token.shopper_id, issued_at__lt=token.issued_at)
        earlier.filter(ends_at__isnull=True).update(ends_at=now + _grace())


@transaction.atomic
def renew_token(*, token: VisitorToken) -> str | None:
    """Make the secret that follows this one; None where one was made within VISITOR_GRACE, in another tab perhaps."""
    now = timezone.now()
    due = Q(renewed_at__isnull=True) | Q(renewed_at__lt=now - _grace())
    if not VisitorToken.objects.filter(due, pk=token.pk).update(renewed_at=now):
        return None
    over = Q(ends_at__lt=now) | Q(seen_at__isnull=True, issued_at__lt=now - _grace())
    VisitorToken.objects.filter(over, shopper=token.shopper_id).exclude(pk=token.pk).delete()
    return issue_token(shopper=token.shopper)


def end_tokens(*, shopper: Shopper) -> None:
    """Let no cookie name this visitor any more, in the caller's transaction."""
    VisitorToken.objects.filter(shopper=shopper).delete()


def is_old(token: VisitorToken) -> bool:
    """Whether it is time for a new secret."""
    return timezone.now() - token.issued_at > dt.timedelta(days=reco_settings().VISITOR_ROTATION)


def _grace() -> dt.timedelta:
    return dt.timedelta(seconds=reco_settings().VISITOR_GRACE)
