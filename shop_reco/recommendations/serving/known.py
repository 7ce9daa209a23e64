"""What is known of a shopper at one moment: read when it is first asked for, and once for all lists of a page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from uuid import UUID

from django.utils import timezone

from reco_engine.data.interactions import History
from shop_reco.events.engine import live_history
from shop_reco.events.selectors import bought_products
from shop_reco.portraits.reading import Edited, edited_products
from shop_reco.users.models import Shopper
from shop_reco.users.selectors import consents, linked_people

from ..selectors import Opinions, opinions
from .memory import View, memory


@dataclass
class Known:
    """One shopper, or a stranger, before one view of the models and the catalogue.

    Lists that share it agree with each other; what is done meanwhile counts in the next ones.
    """

    shopper: Shopper | None
    view: View = field(default_factory=lambda: memory.view())
    now: dt.datetime = field(default_factory=lambda: timezone.now())

    @cached_property
    def _linked(self) -> tuple[list[int], UUID | None]:
        return ([], None) if self.shopper is None else linked_people(shopper=self.shopper)

    @property
    def people(self) -> list[int]:
        """Primary keys of the shopper and of the visitors that they were; none of a stranger."""
        return self._linked[0]

    @property
    def named(self) -> UUID | None:
        """The public id of the account that they all are."""
        return self._linked[1]

    @cached_property
    def consents(self) -> dict[Any, bool]:
        """What they allow, by purpose; nothing of a stranger."""
        return {} if self.shopper is None else consents(shopper=self.shopper)

    @cached_property
    def opinions(self) -> Opinions:
        return opinions(shopper_ids=self.people)

    @cached_property
    def history(self) -> History:
        """Their events as they had arrived, whether they may be used or not."""
        return live_history(shopper_ids=self.people, at=self.now.timestamp())

    @cached_property
    def edited(self) -> Edited:
        return edited_products(shopper_ids=self.people) if self.people else Edited()

    @cached_property
    def _bought(self) -> dict[dt.datetime | None, Collection[int]]:
        return {}

    def bought(self, since: dt.datetime | None = None) -> Collection[int]:
        """Primary keys of the products that they bought, ever or since a moment."""
        if since not in self._bought:
            self._bought[since] = bought_products(shopper_ids=self.people, since=since)
        return self._bought[since]
