"""News of events, or of what may be told, becomes a fresh portrait."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.dispatch import receiver

from shop_reco import hints
from shop_reco.events.services import mark_touched
from shop_reco.events.signals import events_recorded
from shop_reco.products.signals import sensitivity_changed

from .tasks import refresh_dirty


@receiver(events_recorded)
def on_events_recorded(**kwargs: Any) -> None:
    hints.offer(refresh_dirty)


@receiver(sensitivity_changed)
def on_sensitivity_changed(category_ids: list[int], **kwargs: Any) -> None:
    mark_touched(category_ids=category_ids)
    transaction.on_commit(lambda: hints.offer(refresh_dirty))
