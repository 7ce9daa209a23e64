"""Where the numbers of the admin's first page lead: the lists behind them, of what their reader may view."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of the lists behind numbers, of those models that the person may view."""

    site: str
    shown: Mapping[str, bool]

    def to(self, model: str, **which: object) -> str:
        """The list of a model, filtered; empty for who may not view it."""
        if not self.shown.get(model):
            return ""
        address = reverse(f"{self.site}:{model.replace('.', '_')}_changelist")
        return f"{address}?{urlencode(which)}" if which else address

    def on(self, model: str, moment: str, day: dt.date, **which: object) -> str:
        """The rows of one day (UTC)."""
        start = dt.datetime.combine(day, dt.time.min, tzinfo=dt.UTC)
        between = {f"{moment}__gte": start.isoformat(), f"{moment}__lt": (start + DAY).isoformat()}
        return self.to(model, **between, **which)

    def since(self, model: str, moment: str, at: dt.datetime, **which: object) -> str:
        return self.to(model, **{f"{moment}__gte": at.isoformat()}, **which)
