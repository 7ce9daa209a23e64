"""Who a shopper is, or what they allow, is news for whatever is drawn of them."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from shop_reco.users.signals import shoppers_changed

from .services import mark_shoppers


@receiver(shoppers_changed)
def on_shoppers_changed(shopper_ids: list[int], **kwargs: Any) -> None:
    mark_shoppers(shopper_ids=shopper_ids)
