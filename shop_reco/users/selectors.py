"""Questions about shoppers."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Case, Exists, OuterRef, Q, QuerySet, Subquery, When
from django.utils import timezone

from shop_reco.among import Among
from shop_reco.conf import reco_settings
from shop_reco.prepared import Prepared

from .models import ApiKey, Consent, ConsentStatement, Shopper, ShopperLink, VisitorToken
from .signals import shoppers_named


@Prepared
def _decided(shopper: int) -> QuerySet[Consent, Any]:
    return Consent.objects.filter(shopper=shopper, superseded_at__isnull=True).values_list("purpose", "granted")


def consents(*, shopper: Shopper) -> dict[str, bool]:
    """What the shopper allows, by purpose; off until given. One query."""
    given = dict(_decided(shopper.pk))
    return {purpose: given.get(purpose, False) for purpose in Consent.Purpose.values}


def allows(*, shopper: Shopper, purpose: str) -> bool:
    """One query."""
    return Consent.objects.filter(shopper=shopper, purpose=purpose, granted=True, superseded_at__isnull=True).exists()


def allowing(*, purpose: str, among: Collection[int]) -> set[int]:
    """Those of ``among`` (primary keys) whose own decision allows ``purpose``, as ``allows`` tells it; one query."""
    found = Consent.objects.filter(shopper__in=among, purpose=purpose, granted=True, superseded_at__isnull=True)
    return set(found.values_list("shopper_id", flat=True))


def decisions_of(*, shopper: Shopper) -> dict[str, Consent]:
    """The decision in force on each purpose that the shopper decided on; one query."""
    return {each.purpose: each for each in Consent.objects.filter(shopper=shopper, superseded_at__isnull=True)}


def consenting(*, purpose: str, among: Collection[int]) -> set[int]:
    """Those of ``among`` (primary keys) who allow ``purpose``; one query."""
    return set(all_consenting(purpose=purpose).filter(Among("shopper_id", among)))


def consenting_to_any(*, among: Collection[int]) -> set[int]:
    """Those of ``among`` (primary keys) who allow some purpose; one query."""
    return set(
        Consent.objects.filter(Among("shopper_id", among), granted=True, superseded_at__isnull=True).values_list(
            "shopper_id", flat=True
        )
    )


def all_consenting(*, purpose: str) -> QuerySet[Consent, int]:
    """Primary keys of all shoppers who allow ``purpose``, as a subquery.

    What a visitor allowed counts for nothing where the account that they turned out to be does not allow it.
    """
    granted = Consent.objects.filter(purpose=purpose, granted=True, superseded_at__isnull=True)
    joined = ShopperLink.objects.filter(undone_at__isnull=True)
    overruled = joined.exclude(account__in=granted.values("shopper_id")).values("visitor_id")
    return granted.exclude(shopper__in=overruled).values_list("shopper_id", flat=True)


def last_refusal(*, purpose: str) -> int:
    """A number that grows with each withdrawal: what was computed before it is out of date; one query."""
    refused = Consent.objects.filter(purpose=purpose, granted=False).order_by("-pk")
    return refused.values_list("pk", flat=True).first() or 0


def statements_in_force(*, language: str) -> list[ConsentStatement]:
    """What is to be read of each purpose now, in ``language`` or the nearest one that it was written in; one query."""
    newest: dict[str, ConsentStatement] = {}
    wanted = [language, language.partition("-")[0], settings.LANGUAGE_CODE, "en"]
    nearness = {code: place for place, code in reversed(list(enumerate(wanted)))}
    rows = ConsentStatement.objects.filter(since__lte=timezone.now()).order_by("-since", "-pk")
    for row in rows:
        best = newest.setdefault(row.purpose, row)
        same = (best.version, best.since) == (row.version, row.since)
        if same and nearness.get(row.language, len(wanted)) < nearness.get(best.language, len(wanted)):
            newest[row.purpose] = row
    return [newest[purpose] for purpose in Consent.Purpose.values if purpose in newest]


def statement_shown(*, purpose: str, version: str, language: str) -> ConsentStatement | None:
    """The statement of this version, if it was ever shown; one query."""
    return ConsentStatement.objects.filter(
        purpose=purpose, version=version, language=language, since__lte=timezone.now()
    ).first()


def linked_ids(*, shopper: Shopper) -> list[int]:
    """Primary keys of the shopper and of the visitors that were found to be them; one query."""
    visitors = ShopperLink.objects.filter(account=shopper, undone_at__isnull=True)
    return [shopper.pk, *visitors.values_list("visitor_id", flat=True)]


def visitors_of(*, account_ids: Collection[int]) -> dict[int, list[int]]:
    """Primary keys of the visitors that were found to be each of these accounts; one query."""
    found: dict[int, list[int]] = {pk: [] for pk in account_ids}
    links = ShopperLink.objects.filter(account__in=account_ids, undone_at__isnull=True)
    for account, visitor in links.values_list("account_id", "visitor_id"):
        found[account].append(visitor)
    return found


def linked_people(*, shopper: Shopper) -> tuple[list[int], UUID]:
    """As ``linked_ids``, and the public id of the account that they all are, else the shopper's own; one query."""
    ids, named = [shopper.pk], shopper.public_id
    for visitor, account, public_id in _links(shopper.pk):
        if account == shopper.pk:
            ids.append(visitor)
        else:
            named = public_id
    return ids, named


@Prepared
def _links(shopper: int) -> QuerySet[ShopperLink, Any]:
    found = ShopperLink.objects.filter(Q(account=shopper) | Q(visitor=shopper), undone_at__isnull=True)
    return found.values_list("visitor_id", "account_id", "account__public_id")


def links_of(*, account: Shopper) -> list[ShopperLink]:
    """The links in force of an account, the newest first, with their visitors; one query."""
    found = ShopperLink.objects.filter(account=account, undone_at__isnull=True).select_related("visitor")
    return list(found.order_by("-linked_at", "-pk"))


def token_of(*, secret: str) -> VisitorToken | None:
    """The token in force that a cookie's secret stands for, with its visitor; one query.

    None for a visitor who was joined to an account: from then on only signing in leads to their history.
    """
    now = timezone.now()
    oldest = now - dt.timedelta(days=reco_settings().VISITOR_DAYS)
    found = VisitorToken.objects.select_related("shopper").filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=now), digest__in=digests_of(secret), issued_at__gt=oldest
    )
    joined = ShopperLink.objects.filter(visitor=OuterRef("shopper"), undone_at__isnull=True)
    return found.exclude(Exists(joined)).first()


def account_links() -> dict[int, int]:
    """Visitor to account, for every link in force; one query."""
    return dict(ShopperLink.objects.filter(undone_at__isnull=True).values_list("visitor_id", "account_id"))


def shopper_by_public_id(*, public_id: UUID) -> Shopper | None:
    return Shopper.objects.filter(public_id=public_id).first()


def shopper_by_external_id(*, external_id: str) -> Shopper | None:
    return next(iter(_named(external_id)), None)


@Prepared
def _named(external_id: str) -> QuerySet[Shopper]:
    return Shopper.objects.filter(external_id=external_id)


def primary_keys(*, external_ids: Collection[str]) -> dict[str, int]:
    """Of those whom the shop calls so and whom we know; one query."""
    found = Shopper.objects.filter(Among("external_id", external_ids)).values_list("external_id", "pk")
    return {str(name): pk for name, pk in found}


def account_of(*, user_id: int) -> Shopper | None:
    return Shopper.objects.filter(user_id=user_id).first()


def digest_of(secret: str) -> str:
    """The keyed hash under which a secret is stored."""
    return digests_of(secret)[0]


def digests_of(secret: str) -> list[str]:
    """The keyed hashes under which a secret may stand: by today's SECRET_KEY first, then by its fallbacks."""
    keys: list[str] = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]  # type: ignore[list-item]
    return [hmac.new(key.encode(), secret.encode(), hashlib.sha256).hexdigest() for key in keys]


@Prepared
def _nearest(prefix: str) -> QuerySet[ApiKey]:
    first = ApiKey.objects.order_by("pk").values("pk")[:1]
    asked_for = Case(When(prefix=prefix, then=0), default=1)
    return ApiKey.objects.filter(Q(prefix=prefix) | Q(pk=Subquery(first))).order_by(asked_for)[:1]


def key_of(*, plain: str) -> ApiKey | None:
    """The key in force that ``plain`` spells, if any; one query.

    Of a prefix that no key has, the first key of all is read in its place: so it takes as long as one that a key has.
    """
    prefix, _, secret = plain.partition(".")
    found: ApiKey | None = next(iter(_nearest(prefix)), None)
    key = found if found is not None and found.prefix == prefix and found.is_taken(timezone.now()) else None
    expected = key.digest if key else digest_of("")
    matches = [hmac.compare_digest(expected, each) for each in digests_of(secret)]
    return key if key is not None and secret and any(matches) else None


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
