"""What the plugin's admin promises as a whole: it opens, it refuses, and it leaves the host's alone."""

from __future__ import annotations

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone
from unfold.sites import UnfoldAdminSite

from shop_reco.admin_site import admin_site
from shop_reco.recommendations.models import Feedback
from shop_reco.recommendations.services import give_feedback, request_training
from shop_reco.recommendations.serving import recommend_for


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()


@pytest.fixture
def staff(db, client):
    client.force_login(User.objects.create_superuser("staff"))
    return client


@pytest.fixture
def newcomer(db, client):
    """Staff who may do nothing yet."""
    client.user = User.objects.create_user("newcomer", is_staff=True)
    client.force_login(client.user)
    return client


def address(model, page, *args):
    return reverse(f"{admin_site.name}:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def open_every_page(staff):
    for model, model_admin in admin_site._registry.items():
        listed = staff.get(address(model, "changelist"))
        assert listed.status_code == 200, model
        added = staff.get(address(model, "add")).status_code
        assert added == (200 if model_admin.has_add_permission(listed.wsgi_request) else 403), model
        row = model._default_manager.first()
        if row is not None:
            assert staff.get(address(model, "change", row.pk)).status_code == 200, model
        if model_admin.search_fields:
            assert staff.get(address(model, "changelist"), {"q": "tea"}).status_code == 200, model


def test_every_page_opens_in_a_shop_with_nothing_in_it(staff):
    assert staff.get("/admin/").status_code == 200
    open_every_page(staff)


def test_every_page_opens_in_a_shop_with_something_of_everything(trained, person, staff):
    fill(trained, person)
    assert staff.get("/admin/").status_code == 200
    empty = {model._meta.label for model in admin_site._registry if not model._default_manager.exists()}
    assert empty == set()
    open_every_page(staff)


GROUPS = {
    "middle": [0.0] * 4,
    "spread": [1.0] * 4,
    "centres": [[0.0] * 4],
    "names": [["often"]],
    "sizes": [9],
    "silhouette": 0.5,
    "tastes": [[["Shop > Tea", 9]]],
}
"""One group of nine."""


def fill(shop, person):
    from shop_reco.events.flags import Suspicion, raise_flags
    from shop_reco.events.models import DataImport
    from shop_reco.events.services import Sender, record_events
    from shop_reco.portraits.models import Segmentation
    from shop_reco.portraits.services import edit_interests, refresh_dirty
    from shop_reco.privacy.services import erase_shopper
    from shop_reco.recommendations.models import Rule
    from shop_reco.staff.audit import note
    from shop_reco.users.services import (
        create_visitor,
        decide_consent,
        ensure_shopper,
        issue_key,
        link_visitor,
        note_read,
    )
    from shop_reco.webhooks.sources import create_source

    visitor = create_visitor()
    decide_consent(shopper=visitor, decisions={"personalisation": True}, source="test")
    link_visitor(visitor=visitor, account=person)
    served = recommend_for(shopper=person, first=5)
    give_feedback(
        shopper=person, product=served.edges[0].product, kind=Feedback.Kind.WRONG_REASON, slate_id=served.slate_id
    )
    record_events(events=[{"id": "x", "type": "dance"}], shopper=person, sender=Sender.SERVER)
    edit_interests(shopper=person, pin=[("category", "Tea")], block=[("brand", "B1")])
    refresh_dirty()
    Segmentation.objects.create(n_shoppers=9, content=GROUPS)
    Rule.objects.create(action="boost", product=shop.products["Tea-1"], points=1.0)
    DataImport.objects.create(source="test", report={"dropped": {"no quantity": 3}})
    raise_flags(suspicions=[Suspicion(person.pk, "bots", "60/1", {"seconds": 60.0, "acts": 144, "most": 100})])
    issue_key(name="server", scopes=["lists:read"])
    source, _secret = create_source(name="shop", kind="generic")
    source.deliveries.create(topic="events", state="done", received_at=timezone.now())
    erase_shopper(shopper=ensure_shopper(external_id="gone"))
    note_read(shopper_id=person.pk, staff=None, what="portrait", why="asked")
    boss = User.objects.get(username="staff")
    note(by=boss, what="add", row=boss.groups.create(name="merchandisers"))


def test_staff_without_permission_see_no_model_and_are_refused_each(trained, newcomer):
    page = newcomer.get("/admin/").content.decode()
    assert "9 recommenders" not in page
    for model in admin_site._registry:
        assert address(model, "changelist") not in page
        assert newcomer.get(address(model, "changelist")).status_code == 403, model


def kept_back(model_admin):
    """Columns that a list neither shows nor filters by."""
    filters = [each[0] if isinstance(each, tuple) else each for each in model_admin.list_filter]
    filters = [each for each in filters if isinstance(each, str)]
    shown = {*model_admin.list_display, *(each.partition("__")[0] for each in filters)}
    columns = [each for each in model_admin.model._meta.concrete_fields if not each.primary_key]
    return [each for each in columns if each.name not in shown]


def test_an_address_looks_nothing_up_in_what_a_list_keeps_back(trained, person, staff):
    fill(trained, person)
    tried = set()
    for model, model_admin in admin_site._registry.items():
        for column in kept_back(model_admin):
            reply = staff.get(address(model, "changelist"), {f"{column.attname}__gte": "a"})
            assert reply.status_code == 400, (model, column)
            tried.add(f"{model.__name__}.{column.name}")
        assert staff.get(address(model, "changelist"), {"pk__gte": "0"}).status_code in (200, 302), model
    secrets = {"ApiKey.digest", "User.password", "WebhookSource.secret", "Portrait.summary", "Slate.items"}
    assert secrets <= tried


def test_an_address_reaches_no_secret_through_another_table(trained, staff):
    for path in ("auth/user/?groups__user__password__gte=a", "reco_users/shopper/?user__password__gte=a"):
        assert staff.get(f"/admin/{path}").status_code == 400
    for path in ("auth/user/?logentry__id__gte=0", "reco_users/shopper/?consents__source=shop"):
        assert staff.get(f"/admin/{path}").status_code == 400
    assert staff.get("/admin/reco_users/consent/?purpose__exact=training&granted__exact=1").status_code == 200


def test_who_is_not_staff_is_asked_to_sign_in(client, db):
    reply = client.get("/admin/reco_products/product/")
    assert reply.status_code == 302
    assert "/admin/login/" in reply["Location"]
    assert client.get("/admin/login/").status_code == 200


def test_the_hosts_admin_stays_as_it_was():
    assert not isinstance(admin.site._wrapped if hasattr(admin.site, "_wrapped") else admin.site, UnfoldAdminSite)
    labels = {model._meta.app_label for model in admin.site._registry}
    assert not {label for label in labels if label.startswith("reco_")}
    assert admin_site.name != admin.site.name


def test_the_dashboard_shows_what_lists_led_to_only_to_those_who_may_see_events(trained, person, newcomer):
    recommend_for(shopper=person, first=5)
    newcomer.user.user_permissions.add(Permission.objects.get(codename="view_slate"))
    assert "led to" not in newcomer.get("/admin/").content.decode()
    newcomer.user.user_permissions.add(Permission.objects.get(codename="view_event"))
    assert "led to" in newcomer.get("/admin/").content.decode()


def test_a_rule_that_names_nothing_is_refused_in_words(trained, staff):
    add = "/admin/reco_recommendations/rule/add/"
    form = {"action": "boost", "points": "1", "active": "on"}
    form |= {f"{name}_{part}": "" for name in ("starts_at", "ends_at") for part in (0, 1)}
    page = staff.post(add, form).content.decode()
    assert "Name one product, category, brand or tag, or a range of prices." in page
    assert "reco_rule" not in page.replace("reco_recommendations", "")
    pin = {**form, "action": "pin", "product": trained.products["Tea-1"].pk, "rank": 0}
    assert "To pin, name a product and a rank of 1 or more." in staff.post(add, pin).content.decode()


def test_the_dashboard_shows_what_is_trained_and_what_waits_for_a_review(trained, person, staff):
    served = recommend_for(shopper=person, first=5)
    give_feedback(shopper=person, product=served.edges[0].product, kind="like")
    request_training(kind="content")
    page = staff.get("/admin/").content.decode()
    assert "6 recommenders serve." in page
    assert "Training or waiting for it: Content-based." in page
    assert "?review__exact=open&amp;kind__exact=like" in page


def test_the_dashboard_shows_only_what_its_reader_may_view(trained, newcomer):
    newcomer.user.user_permissions.add(Permission.objects.get(codename="view_feedback"))
    page = newcomer.get("/admin/").content.decode()
    assert "What shoppers said" in page
    assert "Events of 28 days" not in page
    assert "Serving since" not in page


def test_whoever_signs_in_without_a_wish_comes_to_the_first_page(db, client):
    User.objects.create_superuser("boss", password="a long way home")
    who = {"username": "boss", "password": "a long way home"}
    reply = client.post("/admin/login/", who)
    assert (reply.status_code, reply["Location"]) == (302, "/admin/")
    client.logout()
    assert client.post("/admin/login/?next=/admin/search/", who)["Location"] == "/admin/search/"


def test_the_side_bar_leads_to_the_pages_that_are_no_tables(trained, staff):
    page = staff.get("/admin/").content.decode()
    for link in ("slate/why/", "feedback/queue/", "rejectedevent/health/"):
        assert f'{link}"' in page
        assert staff.get(re.search(f'href="([^"]*{link})"', page)[1]).status_code == 200
