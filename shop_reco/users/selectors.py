"""Questions about shoppers."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from .models import ApiKey, Consent, Shopper, ShopperLink
from .signals import shoppers_named


def consents(*, shopper: Shopper) -> dict[str, bool]:
    """What the shopper allows, by purpose; off until given. One query."""
    given = dict(Consent.objects.filter(shopper=shopper, superseded_at__isnull=True).values_list("purpose", "granted"))
    return {purpose: given.get(purpose, False) for purpose in Consent.Purpose.values}


def allows(*, shopper: Shopper, purpose: str) -> bool:
    """One query."""
    return Consent.objects.filter(shopper=shopper, purpose=purpose, granted=True, superseded_at__isnull=True).exists()


def consenting(*, purpose: str, among: Collection[int]) -> set[int]:
    """Those of ``among`` (primary keys) who allow ``purpose``; one query."""
    return set(
        Consent.objects.filter(
            shopper__in=among, purpose=purpose, granted=True, superseded_at__isnull=True
        ).values_list("shopper_id", flat=True)
    )


def consenting_to_any(*, among: Collection[int]) -> set[int]:
    """Those of ``among`` (primary keys) who allow some purpose; one query."""
    return set(
        Consent.objects.filter(shopper__in=among, granted=True, superseded_at__isnull=True).values_list(
            "shopper_id", flat=True
        )
    )


def all_consenting(*, purpose: str) -> QuerySet[Consent, int]:
    """Primary keys of all shoppers who allow ``purpose``, as a subquery."""
    return Consent.objects.filter(purpose=purpose, granted=True, superseded_at__isnull=True).values_list(
        "shopper_id", flat=True
    )


def linked_ids(*, shopper: Shopper) -> list[int]:
    """Primary keys of the shopper and of the visitors that were found to be them; one query."""
    visitors = ShopperLink.objects.filter(account=shopper, undone_at__isnull=True)
    return [shopper.pk, *visitors.values_list("visitor_id", flat=True)]


def account_links() -> dict[int, int]:
    """Visitor to account, for every link in force; one query."""
    return dict(ShopperLink.objects.filter(undone_at__isnull=True).values_list("visitor_id", "account_id"))


def shopper_by_public_id(*, public_id: UUID) -> Shopper | None:
    return Shopper.objects.filter(public_id=public_id).first()


def shopper_by_external_id(*, external_id: str) -> Shopper | None:
    return Shopper.objects.filter(external_id=external_id).first()


def primary_keys(*, external_ids: Collection[str]) -> dict[str, int]:
    """Of those whom the shop calls so and whom we know; one query."""
    found = Shopper.objects.filter(external_id__in=external_ids).values_list("external_id", "pk")
    return {str(name): pk for name, pk in found}


def account_of(*, user_id: int) -> Shopper | None:
    return Shopper.objects.filter(user_id=user_id).first()


def digest_of(secret: str) -> str:
    """The keyed hash under which a secret is stored."""
    return hmac.new(settings.SECRET_KEY.encode(), secret.encode(), hashlib.sha256).hexdigest()


def key_of(*, plain: str) -> ApiKey | None:
    """The key in force that ``plain`` spells, if any; one query."""
    prefix, _, secret = plain.partition(".")
    key = ApiKey.objects.filter(prefix=prefix, revoked_at__isnull=True).first()
    expected = key.digest if key else digest_of("")
    matches = hmac.compare_digest(expected, digest_of(secret))
    return key if key is not None and secret and matches else None


def existing_ids(*, ids: Collection[int]) -> set[int]:
    """Those of the primary keys that are still a shopper's; one query."""
    return set(Shopper.objects.filter(pk__in=ids).values_list("pk", flat=True))


def erased_since(*, external_ids: Collection[str]) -> dict[str, dt.datetime]:
    """When those who were erased were, by the shop's own id; what is older must not come back by an import."""
    found: dict[str, dt.datetime] = {}
    answers: list[Any] = shoppers_named.send(Shopper, external_ids=external_ids) if external_ids else []
    for _, answer in answers:
        found.update(answer)
    return found


def erased_names(*, external_ids: Collection[str]) -> set[str]:
    """Those of the shop's own ids whose shopper was erased and did not come back of their own accord."""
    erased = erased_since(external_ids=external_ids)
    names, back = list(erased), set[str]()
    for start in range(0, len(names), 500):
        chunk = Shopper.objects.filter(external_id__in=names[start : start + 500])
        known = chunk.values_list("external_id", "created_at")
        back.update(name for name, created_at in known if name and created_at > erased[name])
    return erased.keys() - back


def some_external_ids(*, limit: int) -> list[str]:
    """The first shoppers that the shop named, for a choice."""
    named = Shopper.objects.filter(external_id__isnull=False).order_by("pk")
    return [str(name) for name in named.values_list("external_id", flat=True)[:limit]]
