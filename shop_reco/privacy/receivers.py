"""What an erasure has to say to the apps below."""

from __future__ import annotations

from collections.abc import Collection

from django.dispatch import receiver

from shop_reco.users.signals import shoppers_named

from . import selectors


@receiver(shoppers_named)
def on_shoppers_named(*, external_ids: Collection[str], **kwargs: object) -> set[str]:
    return selectors.erased(external_ids=external_ids)
