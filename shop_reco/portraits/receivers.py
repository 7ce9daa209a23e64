"""News of events, of what may be told, or of a time zone becomes a fresh portrait."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver

from shop_reco import hints
from shop_reco.events.services import mark_shoppers
from shop_reco.events.signals import events_recorded
from shop_reco.products.signals import sensitivity_changed
from shop_reco.users.models import Shopper

from .services import note_silence
from .tasks import refresh_dirty


@receiver(events_recorded)
def on_events_recorded(**kwargs: Any) -> None:
    hints.offer(refresh_dirty)


@receiver(sensitivity_changed)
def on_sensitivity_changed(category_ids: list[int], **kwargs: Any) -> None:
    note_silence(category_ids=category_ids)
    transaction.on_commit(lambda: hints.offer(refresh_dirty))


@receiver(post_save, sender=Shopper)
def on_shopper_saved(
    instance: Shopper, created: bool, update_fields: frozenset[str] | None = None, **kwargs: Any
) -> None:
    """Days and hours are those of the shopper's time zone. What is written past ``save`` is swept at night."""
    if not created and (update_fields is None or "time_zone" in update_fields):
        mark_shoppers(shopper_ids=[instance.pk])
        transaction.on_commit(lambda: hints.offer(refresh_dirty))
