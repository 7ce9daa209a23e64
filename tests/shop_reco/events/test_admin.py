"""Events are looked at, never touched; a refused one can be tried again."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.auth.models import User

from shop_reco.events.models import Event, RejectedEvent
from shop_reco.events.services import Sender, record_events
from shop_reco.products.services import ProductDraft, import_products

BASE = "/admin/reco_events"


@pytest.fixture
def staff(db, client):
    client.force_login(User.objects.create_superuser("staff"))
    return client


def test_an_event_can_be_neither_changed_nor_deleted(shop, staff):
    event = Event.objects.first()
    assert staff.post(f"{BASE}/event/{event.pk}/change/", {"quantity": 9}).status_code == 403
    assert staff.post(f"{BASE}/event/{event.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Event.objects.get(pk=event.pk).quantity == event.quantity


def test_a_page_of_events_counts_no_table(shop, staff, django_assert_max_num_queries):
    with django_assert_max_num_queries(8) as queries:
        staff.get(f"{BASE}/event/", {"type__exact": "purchase"})
    assert not [each for each in queries.captured_queries if "COUNT(" in each["sql"]]


def test_events_are_found_by_shopper(shop, person, staff):
    page = staff.get(f"{BASE}/event/", {"q": "h0"}).content.decode()
    assert page.count(f"/reco_users/shopper/{person.pk}/change/") == 8


def test_a_refused_event_is_tried_again_after_its_product_came(shop, person, staff):
    event = {"id": uuid.uuid4(), "type": "view_item", "sku": "late"}
    record_events(events=[event], shopper=person, sender=Sender.SERVER)
    refused = RejectedEvent.objects.get()
    assert "UNKNOWN_PRODUCT" in staff.get(f"{BASE}/rejectedevent/").content.decode()
    again = {"action": "replay", "_selected_action": [refused.pk], "confirmed": 1}
    assert "0 of 1 are stored now." in staff.post(f"{BASE}/rejectedevent/", again, follow=True).content.decode()
    import_products(drafts=[ProductDraft(sku="late", title="Late")])
    assert "1 of 1 are stored now." in staff.post(f"{BASE}/rejectedevent/", again, follow=True).content.decode()
    assert Event.objects.filter(pk=event["id"]).count() == 1


def test_events_are_found_by_the_exact_name_of_a_shopper_or_a_product(shop, person, staff):
    def found(term):
        page = staff.get("/admin/reco_events/event/", {"q": term})
        return {(each.shopper.external_id, each.product.sku) for each in page.context["cl"].result_list}

    assert {shopper for shopper, _sku in found("h0")} == {"h0"}
    assert {sku for _shopper, sku in found(" Tea-0 ")} == {"Tea-0"}
    assert found("Tea") == set()
