"""Whether the data that comes in is any good, told to staff."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.auth.models import Permission, User

from shop_reco.events.health import health
from shop_reco.events.models import RejectedEvent
from shop_reco.events.services import Sender, record_events, replay_rejected
from shop_reco.products.models import Product
from shop_reco.products.services import ProductDraft, import_products

PAGE = "/admin/reco_events/rejectedevent/health/"


@pytest.fixture
def refused(shop, person):
    def event(**fields):
        return {"id": uuid.uuid4(), "type": "view_item", **fields}

    events = [event(sku="new-1"), event(sku="new-1"), event(sku="new-2"), event(sku="Tea-1", type="dance")]
    record_events(events=events, shopper=person, sender=Sender.SERVER)
    return shop


def test_what_products_on_offer_lack_is_counted(shop):
    Product.objects.filter(sku__in=["Tea-1", "Tea-2"]).update(price=None)
    Product.objects.filter(sku="Tea-3").update(price=None, visible=False)
    Product.objects.filter(sku="Soap-1").update(brand=None)
    found = health()
    assert found.n_products == 35
    assert {lack.field: lack.n for lack in found.lacks} == {"description": 35, "price": 2, "brand": 1, "category": 0}
    assert found.lacks[0].share == 100


def test_what_was_refused_is_told_by_reason_and_what_is_unknown_by_name(refused):
    found = health()
    assert {each.code: (each.n, each.waiting) for each in found.refused} == {
        "UNKNOWN_PRODUCT": (3, 3),
        "UNKNOWN_TYPE": (1, 1),
    }
    assert [(each.name, each.n) for each in found.unknown] == [("new-1", 2), ("new-2", 1)]


def test_what_was_stored_since_is_unknown_no_more(refused):
    import_products(drafts=[ProductDraft(sku="new-1", title="New", category=("Shop",))])
    for rejected in RejectedEvent.objects.filter(code="UNKNOWN_PRODUCT"):
        replay_rejected(rejected=rejected)
    assert [each.name for each in health().unknown] == ["new-2"]


def test_the_page_costs_as_many_queries_however_much_was_refused(refused, django_assert_num_queries):
    with django_assert_num_queries(2):
        health()


def test_each_number_leads_to_what_is_behind_it(refused, staff):
    Product.objects.filter(sku="Tea-1").update(price=None)
    page = staff.get(PAGE).content.decode()
    assert "new-1" in page
    lacking = staff.get("/admin/reco_products/product/?price__isempty=1")
    assert [each.sku for each in lacking.context["cl"].result_list] == ["Tea-1"]
    assert 'href="/admin/reco_products/product/?price__isempty=1"' in page
    assert len(staff.get("/admin/reco_events/rejectedevent/?code=UNKNOWN_PRODUCT").context["cl"].result_list) == 3


def test_an_empty_shop_is_told_what_to_do(db, staff):
    page = staff.get(PAGE).content.decode()
    assert "The catalogue is empty: import it first." in page
    assert "Nothing was refused." in page


def test_who_may_not_see_products_does_not_see_the_page(shop, client):
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_rejectedevent"))
    client.force_login(viewer)
    assert client.get(PAGE).status_code == 403
