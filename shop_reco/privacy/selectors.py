"""Questions about what was erased and what was exported."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from pathlib import Path

from shop_reco.among import Among
from shop_reco.conf import reco_settings
from shop_reco.users.selectors import digests_of

from .models import ErasedKey


def privacy_root() -> Path:
    """Where exports, the ledger and the key lie; made on first use, for its owner alone."""
    reco = reco_settings()
    folder = reco.PRIVACY_ROOT or reco.ARTIFACTS_ROOT / "privacy"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def erased(*, external_ids: Collection[str]) -> dict[str, dt.datetime]:
    """When the shoppers of these names (ids of the shop, or public ids in hex) were erased, for those who were.

    One query for five hundred keys.
    """
    names = {digest: name for name in external_ids for digest in digests_of(name)}
    keys, found = list(names), dict[str, dt.datetime]()
    for start in range(0, len(keys), 500):
        chunk = ErasedKey.objects.filter(Among("digest", keys[start : start + 500]))
        found.update({names[digest]: at for digest, at in chunk.values_list("digest", "erased_at")})
    return found
