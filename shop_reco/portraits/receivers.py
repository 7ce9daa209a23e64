"""News of events becomes a fresh portrait."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from shop_reco import hints
from shop_reco.events.signals import events_recorded

from .tasks import refresh_dirty


@receiver(events_recorded)
def on_events_recorded(**kwargs: Any) -> None:
    hints.offer(refresh_dirty)
