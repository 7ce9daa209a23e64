"""The erase ledger outside the database: one line an erasure, written before it is committed.

A restored database knows nothing of the erasures that came after its backup; this file does. It holds keyed hashes
and receipts, and names nobody.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from .models import ErasureReceipt
from .selectors import privacy_root

FILE = "erasures.jsonl"


def ledger_path() -> Path:
    return privacy_root() / FILE


def enter(*, digests: list[str], erased_at: datetime, receipt: ErasureReceipt) -> None:
    """Add an erasure and sync it; when the transaction fails after all, a replay completes what was asked for."""
    line = {
        "erased_at": erased_at.isoformat(),
        "digests": sorted(digests),
        "receipt": {
            "document": receipt.document,
            "sha256": receipt.sha256,
            "signature": receipt.signature,
        },
    }
    handle = os.open(ledger_path(), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(handle, (json.dumps(line, separators=(",", ":")) + "\n").encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def entries(path: Path) -> Iterator[dict[str, Any]]:
    """The erasures of a ledger's file, oldest first; a last line cut short by a crash was never acknowledged."""
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield json.loads(line)
