"""What can happen to shoppers and keys."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone

from shop_reco.among import Among
from shop_reco.conf import reco_settings

from .errors import DeadKeyError, RotatingKeyError, UnknownStatementError
from .models import ApiKey, Consent, Shopper, ShopperLink, StaffRead
from .selectors import (
    allows,
    decisions_of,
    digest_of,
    erased_names,
    primary_keys,
    shopper_by_external_id,
    statement_shown,
)
from .signals import shoppers_changed
from .visitors import end_tokens

SIGN_IN = "sign-in"
"""Source of a decision that a visitor brought along to their account."""


@dataclass(frozen=True, kw_only=True)
class ShopperDraft:
    """A shopper as another system describes them."""

    external_id: str
    age_band: str = ""
    gender: str = ""
    region: str = ""
    member_since: dt.date | None = None


def ensure_shopper(*, external_id: str) -> Shopper:
    """The shopper whom the shop calls ``external_id``, created if unknown; one who is known costs no write lock."""
    known = shopper_by_external_id(external_id=external_id)
    if known is not None:
        return known
    with transaction.atomic():
        return Shopper.objects.get_or_create(external_id=external_id)[0]


def ensure_shoppers(*, external_ids: Collection[str]) -> dict[str, int]:
    """Primary keys of those whom the shop calls so, unknown ones created; one query where all are known, else three."""
    names = sorted(set(external_ids))
    known = primary_keys(external_ids=names)
    if len(known) < len(names):
        with transaction.atomic():
            Shopper.objects.bulk_create(
                [Shopper(external_id=name) for name in names if name not in known], ignore_conflicts=True
            )
        known = primary_keys(external_ids=names)
    return known


@transaction.atomic
def ensure_account(*, user: Any) -> Shopper:
    """The shopper of a signed-in user, created if this is their first visit."""
    return Shopper.objects.get_or_create(user=user)[0]


@transaction.atomic
def create_visitor() -> Shopper:
    """A new anonymous visitor; only someone who consented gets one."""
    return Shopper.objects.create()


@dataclass(frozen=True, slots=True)
class Shown:
    """Which statement a shopper read before they decided; empty where nobody said."""

    version: str = ""
    language: str = ""


UNSAID = Shown()


@transaction.atomic
def decide_consent(
    *, shopper: Shopper, decisions: Mapping[str, bool], source: str, shown: Mapping[str, Shown] | None = None
) -> None:
    """Record what the shopper allows or withdraws; a decision that changes nothing is not recorded twice.

    ``shown`` names the statement that was read, by purpose; the same decision on a newer one is a new decision.

    Raises:
        ValueError: If a purpose is unknown.
        UnknownStatementError: If ``shown`` names a statement that was never shown; nothing is recorded.
    """
    unknown = set(decisions) - set(Consent.Purpose.values)
    if unknown:
        raise ValueError(f"unknown purposes {sorted(unknown)}; known: {Consent.Purpose.values}")
    read = {purpose: (shown or {}).get(purpose, UNSAID) for purpose in decisions}
    for purpose, each in read.items():
        if each != UNSAID and not statement_shown(purpose=purpose, version=each.version, language=each.language):
            raise UnknownStatementError(f"{purpose} has no statement of version {each.version!r} in {each.language!r}")
    now = timezone.now()
    # A first decision has no row to lock, and two at once would both be in force.
    Shopper.objects.select_for_update().filter(pk=shopper.pk).first()
    current = decisions_of(shopper=shopper)
    for purpose, granted in decisions.items():
        before, text = current.get(purpose), read[purpose]
        if before is not None and before.granted == granted and text.version in ("", before.text_version):
            continue
        if before is not None:
            before.superseded_at = now
            before.save(update_fields=["superseded_at"])
        Consent.objects.create(
            shopper=shopper,
            purpose=purpose,
            granted=granted,
            source=source,
            text_version=text.version,
            text_language=text.language,
            decided_at=now,
        )
    shoppers_changed.send(Consent, shopper_ids=[shopper.pk])


@transaction.atomic
def link_visitor(*, visitor: Shopper, account: Shopper) -> ShopperLink | None:
    """Join a consenting visitor's history to an account; nothing happens where they are joined already.

    The visitor's cookies end, on this device and on any other: whoever uses it next is a stranger. On what
    the account never decided, the visitor's decisions count from now on.

    Returns None, and joins nothing, for a visitor who allows no personalisation, who is somebody's
    account themselves, or who belongs to another account; and for an account that refuses personalisation.
    """
    if visitor.pk == account.pk or visitor.user_id is not None or visitor.external_id is not None:
        return None
    # The rows are locked in the order of their keys, as everyone else does who writes of both.
    list(Shopper.objects.select_for_update().filter(pk__in=[visitor.pk, account.pk]).order_by("pk"))
    if not allows(shopper=visitor, purpose=Consent.Purpose.PERSONALISATION):
        return None
    refusal = decisions_of(shopper=account).get(Consent.Purpose.PERSONALISATION)
    if refusal is not None and not refusal.granted:
        return None
    link, created = ShopperLink.objects.get_or_create(visitor=visitor, undone_at=None, defaults={"account": account})
    if created:
        end_tokens(shopper=visitor)
        _bring_decisions(link)
        shoppers_changed.send(ShopperLink, shopper_ids=[visitor.pk, account.pk])
    return link if link.account_id == account.pk else None


def _bring_decisions(link: ShopperLink) -> None:
    decided = decisions_of(shopper=link.account)
    Consent.objects.bulk_create(
        Consent(
            shopper=link.account,
            purpose=each.purpose,
            granted=each.granted,
            source=SIGN_IN,
            text_version=each.text_version,
            text_language=each.text_language,
            decided_at=link.linked_at,
        )
        for each in decisions_of(shopper=link.visitor).values()
        if each.purpose not in decided
    )


@transaction.atomic
def undo_link(*, link: ShopperLink) -> None:
    """Part a visitor and an account again, with the decisions that came along; doing it twice changes nothing.

    No event is rewritten: the account's reads take the linked set, which is smaller from now on.
    """
    now = timezone.now()
    list(Shopper.objects.select_for_update().filter(pk__in=[link.visitor_id, link.account_id]).order_by("pk"))
    if ShopperLink.objects.filter(pk=link.pk, undone_at__isnull=True).update(undone_at=now):
        brought = Consent.objects.filter(shopper=link.account_id, source=SIGN_IN, decided_at=link.linked_at)
        brought.filter(superseded_at__isnull=True).update(superseded_at=now)
        shoppers_changed.send(ShopperLink, shopper_ids=[link.visitor_id, link.account_id])


@transaction.atomic
def note_read(*, shopper_id: int, staff: Any, what: str, why: str = "") -> StaffRead:
    """Keep who of the staff looked at what is known of a shopper; each look is a row of its own."""
    return StaffRead.objects.create(
        shopper_id=shopper_id, staff=staff, what=what, why=why[:256].replace("\x00", ""), read_at=timezone.now()
    )


@transaction.atomic
def issue_key(*, name: str, scopes: Sequence[str], follows: ApiKey | None = None) -> tuple[ApiKey, str]:
    """Make an API key; its plain text is returned here and never again.

    Raises:
        ValueError: If a scope is unknown.
    """
    unknown = set(scopes) - set(ApiKey.Scope.values)
    if unknown:
        raise ValueError(f"unknown scopes {sorted(unknown)}; known: {ApiKey.Scope.values}")
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    key = ApiKey.objects.create(
        name=name, prefix=prefix, digest=digest_of(secret), scopes=list(scopes), follows=follows
    )
    return key, f"{prefix}.{secret}"


@transaction.atomic
def rotate_key(*, key: ApiKey) -> tuple[ApiKey, str]:
    """Make the key that follows this one, of its name and scopes; this one ends KEY_GRACE later, or once it is revoked.

    The plain text is returned here and never again. A follower that was revoked, for having been lost perhaps,
    makes room for another.

    Raises:
        DeadKeyError: If the key was revoked or has ended.
        RotatingKeyError: If it has a follower, or the key that it follows is still taken.
    """
    now = timezone.now()
    old = ApiKey.objects.select_for_update(of=("self",)).select_related("follows").get(pk=key.pk)
    if not old.is_taken(now):
        raise DeadKeyError(f"{old} is {old.state(now)}")
    earlier = old.follows is not None and old.follows.is_taken(now)
    if earlier or old.followers.filter(revoked_at__isnull=True).exists():
        raise RotatingKeyError(f"{old} is in the midst of a rotation")
    key.ends_at = old.ends_at = now + dt.timedelta(days=reco_settings().KEY_GRACE)
    old.save(update_fields=["ends_at"])
    return issue_key(name=old.name, scopes=old.scopes, follows=old)


def renew_digest(*, key: ApiKey, plain: str) -> bool:
    """Store a key that just proved itself under today's SECRET_KEY; returns whether it stood under an older one."""
    before, today = key.digest, digest_of(plain.partition(".")[2])
    if before == today:
        return False
    with transaction.atomic():
        key.digest = today
        return bool(ApiKey.objects.filter(pk=key.pk, digest=before).update(digest=today))


@transaction.atomic
def revoke_key(*, key: ApiKey) -> None:
    """End a key at once, in every process; doing it twice keeps the first time. A follower is not ended with it."""
    ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=timezone.now())


@transaction.atomic
def import_shoppers(*, rows: Sequence[ShopperDraft]) -> dict[str, int]:
    """Create or update shoppers in bulk; returns primary keys by external id. Those who were erased are left out."""
    erased = erased_names(external_ids=[row.external_id for row in rows])
    rows = [row for row in rows if row.external_id not in erased]
    Shopper.objects.bulk_create(
        [
            Shopper(
                external_id=row.external_id,
                age_band=row.age_band,
                gender=row.gender,
                region=row.region,
                member_since=row.member_since,
            )
            for row in rows
        ],
        update_conflicts=True,
        unique_fields=["external_id"],
        update_fields=["age_band", "gender", "region", "member_since"],
        batch_size=500,
    )
    return primary_keys(external_ids=[row.external_id for row in rows])


@transaction.atomic
def import_consents(
    *, shopper_ids: Collection[int], purposes: Collection[str], source: str, decided_at: dt.datetime
) -> int:
    """Record consents that another system collected, where the shopper has not decided here; returns how many."""
    decided: set[tuple[int, str]] = set()
    ids = list(shopper_ids)
    for start in range(0, len(ids), 1000):
        in_force = Consent.objects.filter(Among("shopper_id", ids[start : start + 1000]), superseded_at__isnull=True)
        decided.update(in_force.values_list("shopper_id", "purpose"))
    fresh = [
        Consent(
            shopper_id=shopper_id,
            purpose=purpose,
            granted=True,
            source=source,
            text_version="import",
            decided_at=decided_at,
        )
        for shopper_id in ids
        for purpose in purposes
        if (shopper_id, purpose) not in decided
    ]
    Consent.objects.bulk_create(fresh, batch_size=1000)
    return len(fresh)
