"""Visits of a shopper, told from the events of all their devices."""

from __future__ import annotations

import datetime as dt
import uuid

from shop_reco.events.drafts import EventDraft
from shop_reco.events.engine import sessions_of
from shop_reco.events.imports import import_events
from shop_reco.users.models import Shopper, ShopperLink


def seen(shop, shopper, minute, **fields):
    return EventDraft(
        id=fields.pop("id", None) or uuid.uuid4(),
        shopper_id=shopper.pk,
        product_id=shop.products["Tea-0"].pk,
        type=fields.pop("type", "view_item"),
        occurred_at=shop.now + dt.timedelta(minutes=minute),
        **fields,
    )


def test_a_visit_is_named_by_its_first_event_and_spans_devices(shop):
    shopper, visitor = Shopper.objects.create(external_id="new"), Shopper.objects.create()
    ShopperLink.objects.create(visitor=visitor, account=shopper)
    first, second = uuid.uuid4(), uuid.uuid4()
    import_events(
        rows=[
            seen(shop, visitor, 0, id=first),
            seen(shop, shopper, 20, type="purchase", channel="app"),
            seen(shop, shopper, 90, id=second),
        ]
    )
    newest, oldest = sessions_of(shopper=shopper)
    assert (newest.first, newest.events) == (second, 1)
    assert (oldest.first, oldest.events) == (first, 2)
    assert oldest.types == ("view_item", "purchase")
    assert oldest.channels == ("app", "web")
    assert oldest.ended_at - oldest.started_at == dt.timedelta(minutes=20)
    assert sessions_of(shopper=shopper, limit=1) == [newest]
    import_events(rows=[seen(shop, visitor, 48), seen(shop, visitor, 70)])
    (joined,) = sessions_of(shopper=shopper)
    assert (joined.first, joined.events) == (first, 5)


def test_a_visit_that_began_before_the_newest_events_is_left_out(shop, settings, django_assert_num_queries):
    shopper = Shopper.objects.create(external_id="new")
    settings.SHOP_RECO = {**settings.SHOP_RECO, "HISTORY_EVENTS": 3}
    import_events(rows=[seen(shop, shopper, minute) for minute in (0, 1, 2, 90, 91)])
    with django_assert_num_queries(2):
        (only,) = sessions_of(shopper=shopper)
    assert only.events == 2


def test_who_did_nothing_has_no_visits(shop):
    assert sessions_of(shopper=Shopper.objects.create(external_id="new")) == []
