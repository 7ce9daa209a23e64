"""Questions about what was erased."""

from __future__ import annotations

from collections.abc import Collection

from shop_reco.users.selectors import digest_of

from .models import ErasedKey


def erased(*, external_ids: Collection[str]) -> set[str]:
    """Those of the shop's own ids whose shopper was erased; one query a thousand."""
    digests = {digest_of(name): name for name in external_ids}
    keys, found = list(digests), set()
    for start in range(0, len(keys), 1000):
        chunk = ErasedKey.objects.filter(digest__in=keys[start : start + 1000])
        found.update(digests[digest] for digest in chunk.values_list("digest", flat=True))
    return found
