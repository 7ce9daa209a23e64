"""What the database refuses whoever asks it."""

from __future__ import annotations

import uuid

import pytest
from django.db import IntegrityError, transaction

from shop_reco.events.models import Event


def test_the_database_itself_refuses_an_impossible_rating(shop, person):
    with pytest.raises(IntegrityError), transaction.atomic():
        Event.objects.create(
            id=uuid.uuid4(),
            shopper=person,
            type="rate",
            product=shop.products["Tea-1"],
            rating=9,
            occurred_at=shop.now,
            received_at=shop.now,
        )
