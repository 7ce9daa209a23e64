"""Erase: one transaction over everything that is known of a shopper."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import IntegrityError, transaction
from django.utils import timezone

from shop_reco.recommendations.selectors import versions_that_knew
from shop_reco.recommendations.services import forget_answers, forget_examples, mask_users
from shop_reco.users.models import Shopper, StaffRead
from shop_reco.users.selectors import digest_of, linked_ids

from . import ledger
from .errors import ShopperGoneError
from .exports import discard_files
from .models import ErasedKey, ErasureReceipt
from .personal import personal_tables
from .receipts import write_receipt
from .selectors import erased
from .sessions import ask_sweep

ASKED, REPLAYED = "asked for", "replayed after a restore"
"""Why an erasure happened."""


@transaction.atomic
def erase_shopper(*, shopper: Shopper, why: str = ASKED) -> ErasureReceipt:
    """Delete all that is known of a shopper, and remember that it happened without remembering whose it was.

    What sessions hold of them goes after the commit: reading all that a shop has takes as long as it takes, and
    nobody should wait for that. The receipt is followed up with how many there were.

    Raises:
        ShopperGoneError: If they were erased already.
    """
    people, now = _hold(shopper), timezone.now()
    ids = [each.pk for each in people]
    versions = versions_that_knew(shopper_ids=ids)
    forget_examples(shopper_ids=ids)
    answers = forget_answers(shopper_ids=ids)
    counts = _delete_rows(ids) | {"shopperanswers": answers, "failures": _delete_failures(), "shopper": len(people)}
    Shopper.objects.filter(pk__in=ids).delete()
    digests = _remember(people, now)
    # its lock is also what keeps the chain of receipts from forking
    mask_users(shopper_ids=ids, at=now, learnt=bool(versions))
    receipt = write_receipt(counts=counts, versions=versions, visitors=len(people) - 1, at=now, why=why)
    ask_sweep(
        receipt=receipt,
        user_ids={each.user_id for each in people if each.user_id},
        names={each.external_id for each in people if each.external_id},
    )
    ledger.enter(digests=digests, erased_at=now, receipt=receipt)
    return receipt


def _hold(shopper: Shopper) -> list[Shopper]:
    """Lock a shopper and the visitors found to be them: who writes of one meanwhile waits, and then finds nobody.

    All at once in the order of their keys, as everyone else does who writes of several. Who was linked while we
    waited may come before those held by then, so that these are let go first: a savepoint's locks end with it.

    Raises:
        ShopperGoneError: If the shopper is gone.
    """
    ids = set(linked_ids(shopper=shopper))
    while True:
        point = transaction.savepoint()
        people = list(Shopper.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
        if shopper.pk not in {each.pk for each in people}:
            raise ShopperGoneError
        linked = set(linked_ids(shopper=shopper))
        if linked <= ids:
            transaction.savepoint_commit(point)
            return [each for each in people if each.pk in linked]
        transaction.savepoint_rollback(point)
        ids = linked


def _delete_rows(ids: Collection[int]) -> dict[str, int]:
    """Empty every personal table of these shoppers; what rests on another row goes before it."""
    counts = {}
    for table in reversed(personal_tables()):
        rows = table.rows(shopper_ids=ids)
        if table.model is StaffRead:
            counts[table.name] = rows.update(shopper=None, why="")
            continue
        if table.name == "export":
            discard_files(rows)
        counts[table.name] = rows.delete()[1].get(table.model._meta.label, 0)
    return counts


def _delete_failures() -> int:
    """Delete the stored failures of our tasks, whoever's they are: a message may quote a row."""
    if not apps.is_installed("django_celery_results"):
        return 0
    results = apps.get_model("django_celery_results", "TaskResult")._default_manager
    failed = results.filter(task_name__startswith="shop_reco.").exclude(traceback__isnull=True)
    return failed.delete()[0]


def _remember(people: Collection[Shopper], at: dt.datetime) -> list[str]:
    """Enter the shoppers' ids into the ledger, as keyed hashes."""
    names = [name for each in people for name in (each.external_id, each.public_id.hex) if name]
    digests = [digest_of(name) for name in names]
    ErasedKey.objects.bulk_create(
        [ErasedKey(digest=digest, erased_at=at) for digest in digests],
        update_conflicts=True,
        unique_fields=["digest"],
        update_fields=["erased_at"],
    )
    return digests


def replay_erasures(*, path: Path | None = None) -> dict[str, int]:
    """Erase again whom a restored database brought back; one who came back by themselves since stays.

    Args:
        path: The ledger's file; None: the one in use. What it knows and the database does not is entered there.
    Returns:
        How many keys and receipts the database lacked, and how many shoppers were erased again.
    """
    done = {"keys": 0, "receipts": 0, "erased": 0}
    path = path or ledger.ledger_path()
    for entry in ledger.entries(path) if path.exists() else ():
        at = dt.datetime.fromisoformat(entry["erased_at"])
        done["keys"] += _learn_keys(entry["digests"], at)
        done["receipts"] += _learn_receipt(entry["receipt"], at)
    for shopper in _brought_back():
        try:
            erase_shopper(shopper=shopper, why=REPLAYED)
        except ShopperGoneError:  # went with the account that it was linked to
            continue
        done["erased"] += 1
    return done


@transaction.atomic
def _learn_keys(digests: list[str], at: dt.datetime) -> int:
    known = dict(ErasedKey.objects.filter(digest__in=digests).values_list("digest", "erased_at"))
    news = [ErasedKey(digest=digest, erased_at=at) for digest in digests if digest not in known]
    ErasedKey.objects.bulk_create(news)
    ErasedKey.objects.filter(digest__in=known, erased_at__lt=at).update(erased_at=at)
    return len(news)


def _learn_receipt(entry: dict[str, str], at: dt.datetime) -> int:
    """Put back a receipt that a restore lost; one whose place in the chain was taken since stays in the file alone."""
    if ErasureReceipt.objects.filter(sha256=entry["sha256"]).exists():
        return 0
    document: dict[str, Any] = json.loads(entry["document"])
    try:
        with transaction.atomic():
            ErasureReceipt.objects.create(
                public_id=document["receipt"],
                erased_at=at,
                counts=document["rows"],
                versions=[each["version"] for each in document["versions"]],
                previous_sha256=document["previous_sha256"],
                **entry,
            )
    except IntegrityError:
        return 0
    return 1


def _brought_back() -> Iterator[Shopper]:
    """Shoppers whom the ledger knows, and who are older than their erasure; read in chunks."""
    last = 0
    while chunk := list(Shopper.objects.filter(pk__gt=last).order_by("pk")[:500]):
        last = chunk[-1].pk
        names = [name for each in chunk for name in (each.external_id, each.public_id.hex) if name]
        found = erased(external_ids=names)
        for each in chunk:
            times = [found[name] for name in (each.external_id, each.public_id.hex) if name and name in found]
            if times and each.created_at <= max(times):
                yield each
