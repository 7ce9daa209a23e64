"""Receipts: written once, chained, signed with the shop's key, and followed up."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import secrets
import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from django.db import transaction
from django.utils import timezone

from shop_reco.recommendations.engine import stores_users
from shop_reco.recommendations.models import ModelVersion

from .models import ErasureReceipt, ReceiptUpdate, SessionSweep
from .selectors import privacy_root
from .verify import FORMAT, canonical, sha256_of

KEY_FILE = "receipts.ed25519"


def signing_key() -> Ed25519PrivateKey:
    """The shop's key, made on first use; two processes starting at once agree on the one that was first."""
    path = privacy_root() / KEY_FILE
    if not path.exists():
        draft = path.with_name(f"{KEY_FILE}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{path.name} is no Ed25519 key")
    return key


def public_key() -> str:
    """What receipts are checked with, hex; it is published."""
    return signing_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def write_receipt(
    *, counts: Mapping[str, int], versions: Sequence[ModelVersion], visitors: int, at: dt.datetime, why: str
) -> ErasureReceipt:
    """Write the receipt of an erasure in the caller's transaction, which must hold the lock on the chain."""
    previous = ErasureReceipt.objects.order_by("-pk").values_list("sha256", flat=True).first() or ""
    public_id = uuid.uuid4()
    document = {
        "format": FORMAT,
        "receipt": str(public_id),
        "erased_at": at.isoformat(),
        "why": why,
        "scope": f"all that was kept of one shopper and of {visitors} visitors found to be them; "
        "an account of the shop's own, if there is one, is the shop's to delete",
        "rows": dict(counts),
        "versions": [
            {
                "version": version.public_id.hex,
                "kind": version.recommender_id,
                "state": version.state,
                "rows": "masked" if stores_users(version.recommender_id) else "learnt, until retrained",
            }
            for version in versions
        ],
        "previous_sha256": previous,
    }
    text = canonical(document)
    return ErasureReceipt.objects.create(
        public_id=public_id,
        erased_at=at,
        counts=dict(counts),
        versions=[version.public_id.hex for version in versions],
        previous_sha256=previous,
        sha256=sha256_of(text),
        document=text,
        signature=signing_key().sign(text.encode()).hex(),
    )


@transaction.atomic
def note_versions_gone(*, gone: Collection[str], clean: Mapping[str, str]) -> list[ReceiptUpdate]:
    """Follow up the receipts whose model versions are gone: what was deleted, and what serves in their place.

    Args:
        gone: Public ids (hex) of versions that were deleted, artifact and all.
        clean: Public id (hex) of the version that serves now, by kind of recommender.
    """
    updates = []
    for receipt in ErasureReceipt.objects.select_for_update().exclude(document="").order_by("pk").iterator():
        told = {each for earlier in receipt.updates.all() for each in earlier.gone}
        news = sorted(set(receipt.versions) & set(gone) - told)
        if news:
            updates.append(_follow_up(receipt, news, clean, told))
    return updates


@transaction.atomic
def note_sessions(*, receipt: ErasureReceipt, cleared: int) -> ReceiptUpdate:
    """Follow up a receipt with how many stored sessions were cleared of the shopper since."""
    receipt = ErasureReceipt.objects.select_for_update().get(pk=receipt.pk)
    told = {each for earlier in receipt.updates.all() for each in earlier.gone}
    return _follow_up(receipt, [], {}, told, sessions=cleared)


def _follow_up(
    receipt: ErasureReceipt, news: list[str], clean: Mapping[str, str], told: set[str], **more: int
) -> ReceiptUpdate:
    last, now = receipt.updates.last(), timezone.now()
    document = {
        "receipt": str(receipt.public_id),
        "noted_at": now.isoformat(),
        "gone": news,
        "left": sorted(set(receipt.versions) - told - set(news)),
        "clean": dict(clean),
        "previous_sha256": last.sha256 if last else receipt.sha256,
        **more,
    }
    text = canonical(document)
    signature = signing_key().sign(text.encode()).hex()
    return ReceiptUpdate.objects.create(
        receipt=receipt, noted_at=now, gone=news, document=text, sha256=sha256_of(text), signature=signature
    )


def sessions_cleared(*, receipt: ErasureReceipt) -> int | None:
    """Stored sessions that were cleared after the erasure; None where that is not done yet. Two queries."""
    if SessionSweep.objects.filter(receipt=receipt).exists():
        return None
    return sum(json.loads(text).get("sessions", 0) for text in receipt.updates.values_list("document", flat=True))


def receipt_file(*, public_id: uuid.UUID) -> bytes | None:
    """The receipt as the file that is handed out; None where there is none. Two queries."""
    receipt = ErasureReceipt.objects.filter(public_id=public_id).exclude(document="").first()
    if receipt is None:
        return None
    file = {
        "public_key": public_key(),
        "receipt": _entry(receipt),
        "updates": [_entry(update) for update in receipt.updates.all()],
    }
    return (canonical(file) + "\n").encode()


def _entry(row: ErasureReceipt | ReceiptUpdate) -> dict[str, Any]:
    return {"document": json.loads(row.document), "sha256": row.sha256, "signature": row.signature}


def broken_links() -> list[str]:
    """Receipts of the chain that do not follow the one before, oldest first; streamed."""
    broken, before = [], ""
    for receipt in ErasureReceipt.objects.order_by("pk").iterator(chunk_size=500):
        hashed = not receipt.document or sha256_of(receipt.document) == receipt.sha256
        if receipt.previous_sha256 != before or not hashed:
            broken.append(str(receipt.public_id))
        before = receipt.sha256
    return broken
