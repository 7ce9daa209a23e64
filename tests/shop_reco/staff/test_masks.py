"""Who a shopper is and what they wrote is on no page of staff who may not see it, nor found by their searches."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.db.models import CharField, JSONField, TextField
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shop_reco.admin_site import admin_site
from shop_reco.events.models import Event, RejectedEvent
from shop_reco.portraits.models import Portrait
from shop_reco.recommendations.models import Feedback, Slate
from shop_reco.recommendations.serving import recommend_for
from shop_reco.staff.sensitive import PERSONAL, SECRET
from shop_reco.users.models import Shopper
from tests.shop_reco.test_admin_site import fill

from .conftest import address

CANARIES = {
    "name": "canary-name", "username": "canary-user", "email": "canary@mail.example", "query": "canary query",
    "text": "canary text", "order": "canary-order", "region": "canary-region", "payload": "canary-payload",
    "digest": "canary-digest", "first name": "canary-first",
}  # fmt: skip
WORDS = (*CANARIES.values(), "March 17, 1991")

HARMLESS = {
    "auth.Group": "name",
    "django_celery_beat.CrontabSchedule": "minute hour day_of_week day_of_month month_of_year timezone",
    "django_celery_beat.IntervalSchedule": "period",
    "django_celery_beat.PeriodicTask": "name task args kwargs queue exchange routing_key headers description",
    "reco_events.DataImport": "source report",
    "reco_events.Event": "type channel currency",
    "reco_events.RejectedEvent": "code sender",
    "reco_events.ShopperFlag": "rule evidence_key evidence",
    "reco_portraits.Portrait": "time_zone",
    "reco_portraits.PortraitEdit": "action kind",
    "reco_portraits.Segmentation": "content",
    "reco_privacy.ErasureReceipt": "counts versions previous_sha256 sha256 document signature",
    "reco_products.Brand": "name",
    "reco_products.Category": "name path slug",
    "reco_products.Product": "title sku description currency attributes",
    "reco_recommendations.Feedback": "kind disputed review placement reason recommender",
    "reco_recommendations.ModelVersion": "state manifest_sha256 figures recipe gate",
    "reco_recommendations.Placement": "key title strategy switched_off repeats fallback",
    "reco_recommendations.Recommender": "kind",
    "reco_recommendations.Rule": "action tag reason",
    "reco_recommendations.Slate": "placement rung items earlier versions",
    "reco_recommendations.TrainingRun": "state work phase why log ticket cleaning resources",
    "reco_staff.StaffAction": "who what model object_id name changes why via",
    "reco_users.ApiKey": "name prefix scopes",
    "reco_users.Consent": "purpose source text_version text_language",
    "reco_users.ConsentStatement": "purpose version language text",
    "reco_users.Shopper": "time_zone age_band gender",
    "reco_users.StaffRead": "what",
    "reco_webhooks.WebhookDelivery": "topic state code report",
    "reco_webhooks.WebhookSource": "name kind purposes currency time_zone prefix",
}
"""Texts of tables with an admin page that say nothing of anybody; whatever else there is must be hidden."""


@pytest.fixture
def canaries(trained, admin_user):
    """A shop in which everything personal is a word that stands nowhere else."""
    admin_user.username = "staff"
    admin_user.save()
    names = {"email": CANARIES["email"], "first_name": CANARIES["first name"]}
    customer = User.objects.create_user(CANARIES["username"], **names)
    Shopper.objects.filter(external_id="h0").update(
        external_id=CANARIES["name"], user=customer, region=CANARIES["region"], member_since=dt.date(1991, 3, 17)
    )
    shopper = Shopper.objects.get(user=customer)
    fill(trained, shopper)
    now = timezone.now()
    common = {"shopper": shopper, "occurred_at": now, "received_at": now, "digest": CANARIES["digest"]}
    Event.objects.create(id=uuid.uuid4(), type="search", query=CANARIES["query"], **common)
    product = trained.products["Tea-1"]
    Event.objects.create(id=uuid.uuid4(), type="review", text=CANARIES["text"], product=product, **common)
    Event.objects.create(id=uuid.uuid4(), type="purchase", order=CANARIES["order"], product=product, **common)
    RejectedEvent.objects.create(
        payload={"text": CANARIES["payload"]}, code="BAD", message=CANARIES["payload"], shopper=shopper, received_at=now
    )
    return shopper


@pytest.fixture
def curious(client, db):
    """Staff with every permission but the one to see personal data: as much as a page can be asked for."""
    user = User.objects.create_user("curious", is_staff=True)
    user.user_permissions.set(Permission.objects.exclude(codename="view_personal_data"))
    client.force_login(user)
    return client


def rows_of(model, shopper):
    """The rows that may say something of the shopper."""
    found = model._default_manager.order_by("-pk")
    if model is Shopper:
        return found.filter(pk=shopper.pk)
    if model is User:
        return found.filter(pk=shopper.user_id)
    names = {field.name for field in model._meta.get_fields()}
    return found.filter(shopper=shopper)[:12] if "shopper" in names else found[:2]


def pages(client, shopper):
    """Every page of these rows, and each list as it is, searched, and with a row chosen."""
    for model, model_admin in admin_site._registry.items():
        listed = client.get(address(model, "changelist"))
        yield model, listed
        if listed.status_code == 403:
            continue
        rows = list(rows_of(model, shopper))
        for row in rows:
            yield model, client.get(address(model, "change", row.pk))
            if model is Portrait:
                yield model, client.post(address(model, "change", row.pk), {"why": "to look"}, follow=True)
                for kind in ("total", "category", "type", "hour", "keyword"):
                    yield model, client.get(address(model, "from", row.pk), {"kind": kind, "key": "search"})
        for page in ("history", "delete"):
            yield model, client.get(address(model, page, rows[0].pk))
        if model_admin.get_search_fields(listed.wsgi_request):
            yield model, client.get(address(model, "changelist"), {"q": "canary"})
        picked = {"action": "delete_selected", "_selected_action": [rows[0].pk]}
        yield model, client.post(address(model, "changelist"), picked)
    options = Feedback._meta
    asked = {"app_label": options.app_label, "model_name": options.model_name, "field_name": "shopper"}
    yield Shopper, client.get("/admin/autocomplete/", asked)
    yield Shopper, client.get("/admin/search/", {"s": "canary", "extended": "1"})
    yield Shopper, client.get("/admin/")


def leaks(client, shopper):
    return {
        (model._meta.label, word)
        for model, reply in pages(client, shopper)
        for word in WORDS
        if word in reply.content.decode()
    }


@pytest.mark.any_database
def test_no_page_says_who_a_shopper_is_or_what_they_wrote_to_staff_who_may_not_know(canaries, curious, settings):
    settings.SHOP_RECO_UNFOLD = {"COMMAND": {"search_models": True}}
    assert leaks(curious, canaries) == set()


@pytest.mark.any_database
def test_no_page_of_any_lower_role_says_so_either(canaries, team):
    for kind, member in team.items():
        if kind != "administrator":
            assert leaks(member.client, canaries) == set(), kind


@pytest.mark.any_database
def test_administrators_do_see_it(canaries, team):
    told = leaks(team["administrator"].client, canaries)
    assert {word for _label, word in told} == {*WORDS}
    seen = {label for label, word in told if word == CANARIES["name"]}
    assert {"reco_recommendations.Feedback", "reco_recommendations.Slate", "reco_portraits.Portrait"} <= seen
    assert {"reco_users.Shopper", "reco_events.Event", "reco_events.RejectedEvent"} <= seen


@pytest.mark.parametrize(
    ("model", "lookup", "value"),
    [
        (Event, "query__startswith", "canary"),
        (Event, "text", "canary text"),
        (Event, "order__contains", "canary"),
        (Shopper, "external_id__startswith", "canary"),
        (Shopper, "user__username", "canary-user"),
        (Shopper, "user", "1"),
        (RejectedEvent, "message__contains", "canary"),
    ],
)
def test_what_is_hidden_cannot_be_asked_for_by_an_address_either(canaries, curious, model, lookup, value):
    assert curious.get(address(model, "changelist"), {lookup: value}).status_code == 400


def test_a_search_for_a_shoppers_name_finds_nobody_and_one_for_a_pseudonym_does(canaries, curious):
    shoppers = address(Shopper, "changelist")
    assert f"/{canaries.pk}/change/" not in curious.get(shoppers, {"q": "canary-name"}).content.decode()
    pseudonym = canaries.public_id.hex[:8]
    assert f"/{canaries.pk}/change/" in curious.get(shoppers, {"q": pseudonym}).content.decode()
    assert curious.get(address(Slate, "changelist"), {"q": "canary-name"}).content.decode().count("/change/") == 0


def test_a_reviewer_tells_shoppers_apart_and_a_viewer_does_not(canaries, team):
    pseudonym = f"shopper {canaries.public_id.hex[:8]}"
    assert pseudonym in team["reviewer"].client.get(address(Feedback, "changelist")).content.decode()
    lists = address(Slate, "changelist")
    assert pseudonym in team["reviewer"].client.get(lists).content.decode()
    page = team["viewer"].client.get(lists).content.decode()
    assert "a shopper" in page
    assert canaries.public_id.hex[:8] not in page
    assert team["viewer"].client.get(lists, {"shopper": canaries.pk}).status_code == 400


def test_every_text_of_a_table_with_a_page_is_personal_secret_or_said_to_be_harmless():
    for model in admin_site._registry:
        label = model._meta.label
        told = {*HARMLESS.get(label, "").split(), *PERSONAL.get(label, ()), *SECRET.get(label, ())}
        fields = {field.name: isinstance(field, CharField | TextField | JSONField) for field in model._meta.fields}
        assert {name for name, is_text in fields.items() if is_text} - told == set(), label
        assert told <= fields.keys(), label


def test_a_list_asks_as_often_for_many_shoppers_as_for_one(canaries, team):
    url = address(Slate, "changelist")
    client = team["reviewer"].client

    def queries():
        client.get(url)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(url).status_code == 200
        return len(asked)

    before = queries()
    for shopper in Shopper.objects.exclude(pk=canaries.pk)[:20]:
        recommend_for(shopper=shopper, first=3)
    assert queries() == before
