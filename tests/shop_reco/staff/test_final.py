"""What cannot be undone is asked about first, with what it would touch, and needs a permission of its own."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop_reco.admin_site import admin_site
from shop_reco.recommendations.models import Recommender, TrainingRun
from shop_reco.recommendations.services import request_training
from shop_reco.staff.final import FINAL
from shop_reco.staff.models import StaffAction
from shop_reco.users.models import ApiKey, Shopper, ShopperLink
from shop_reco.users.services import create_visitor, decide_consent, issue_key, link_visitor

from .conftest import address
from .test_matrix import ACTIONS

REVERSIBLE = {
    "reco_recommendations.recommender.switch_on", "reco_recommendations.recommender.switch_off",
    "reco_recommendations.recommender.train", "reco_recommendations.recommender.go_back",
    "reco_recommendations.feedback.accept", "reco_recommendations.feedback.dismiss",
    "reco_users.apikey.rotate", "reco_products.product.show", "reco_products.product.hide",
    "reco_products.category.mark_sensitive", "reco_products.category.mark_ordinary",
    "reco_webhooks.webhooksource.enable", "reco_webhooks.webhooksource.disable",
    "django_celery_beat.periodictask.enable_tasks", "django_celery_beat.periodictask.disable_tasks",
    "django_celery_beat.periodictask.toggle_tasks",
}  # fmt: skip
"""What another action takes back."""


@pytest.fixture
def boss(team):
    return team["administrator"].client


def press(client, model, action, rows, **more):
    picked = {"action": action, "_selected_action": [each.pk for each in rows], "index": 0, **more}
    if "confirmed" in more:
        del picked["index"]
    return client.post(address(model, "changelist"), picked)


def test_every_action_on_chosen_rows_asks_first_or_can_be_taken_back():
    asked = {name for name in ACTIONS if name.endswith(".delete_selected")} | set(FINAL)
    assert asked | REVERSIBLE == set(ACTIONS)
    assert not asked & REVERSIBLE


def test_each_final_action_has_a_permission_that_exists(db):
    names = {f"reco_staff.{each}" for each in Permission.objects.values_list("codename", flat=True)}
    assert set(FINAL.values()) <= names


def test_nothing_happens_before_the_answer_and_the_page_shows_what_would(boss, db):
    keys = [issue_key(name=f"till {n}", scopes=["lists:read"])[0] for n in range(3)]
    page = press(boss, ApiKey, "revoke", keys[:2]).content.decode()
    assert "This touches 2 rows and cannot be undone" in page
    assert str(keys[0]) in page
    assert str(keys[2]) not in page
    assert 'name="confirmed" value="2"' in page
    assert not ApiKey.objects.filter(revoked_at__isnull=False).exists()
    assert not StaffAction.objects.exists()
    assert press(boss, ApiKey, "revoke", keys[:2], confirmed=2).status_code == 302
    assert set(ApiKey.objects.filter(revoked_at__isnull=False)) == set(keys[:2])
    assert StaffAction.objects.filter(what="revoke").count() == 2


def test_of_many_rows_the_first_are_shown_and_the_rest_counted(boss, db):
    keys = [issue_key(name=f"till {n}", scopes=["lists:read"])[0] for n in range(25)]
    page = press(boss, ApiKey, "revoke", keys[:1], select_across="1").content.decode()
    assert "This touches 25 rows" in page
    assert page.count("<li>till") == 20
    assert "… and 5 more." in page
    press(boss, ApiKey, "revoke", keys[:1], select_across="1", confirmed=25)
    assert ApiKey.objects.filter(revoked_at__isnull=True).count() == 0


def test_rows_that_came_after_the_preview_are_shown_before_they_are_touched(boss, db):
    first = issue_key(name="till", scopes=["lists:read"])[0]
    press(boss, ApiKey, "revoke", [first], select_across="1")
    issue_key(name="new", scopes=["lists:read"])
    page = press(boss, ApiKey, "revoke", [first], select_across="1", confirmed=1).content.decode()
    assert "Meanwhile there are other rows" in page
    assert 'value="2"' in page
    assert not ApiKey.objects.filter(revoked_at__isnull=False).exists()


def test_without_its_permission_a_final_action_is_neither_offered_nor_done(client, db):
    key = issue_key(name="till", scopes=["lists:read"])[0]
    user = User.objects.create_user("half", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="reco_users"))
    client.force_login(user)
    assert 'value="revoke"' not in client.get(address(ApiKey, "changelist")).content.decode()
    press(client, ApiKey, "revoke", [key], confirmed=1)
    assert ApiKey.objects.get().revoked_at is None


def test_the_preview_names_shoppers_as_its_reader_may_see_them(shop, person, client):
    visitor = create_visitor()
    decide_consent(shopper=visitor, decisions={"personalisation": True}, source="test")
    link = link_visitor(visitor=visitor, account=person)
    user = User.objects.create_user("half", is_staff=True)
    user.user_permissions.set(Permission.objects.exclude(codename="view_personal_data"))
    client.force_login(user)
    page = press(client, ShopperLink, "undo", [link]).content.decode()
    assert f"shopper {person.public_id.hex[:8]}" in page
    assert ">h0<" not in page.replace(" ", "")
    press(client, ShopperLink, "undo", [link], confirmed=1)
    assert ShopperLink.objects.get().undone_at is not None


def test_an_analyst_cancels_several_trainings_once_they_said_yes(shop, team):
    runs = [request_training(kind=kind) for kind in ("content", "item_cf")]
    press(team["analyst"].client, TrainingRun, "cancel", runs)
    assert set(TrainingRun.objects.values_list("state", flat=True)) == {"queued"}
    press(team["analyst"].client, TrainingRun, "cancel", runs, confirmed=2)
    assert set(TrainingRun.objects.values_list("state", flat=True)) == {"cancelled"}


def test_a_page_of_another_site_can_neither_frame_nor_press_it(boss, db, client):
    key = issue_key(name="till", scopes=["lists:read"])[0]
    for url in (address(ApiKey, "changelist"), "/admin/", "/admin/login/"):
        assert boss.get(url)["X-Frame-Options"] == "DENY"
    assert press(boss, ApiKey, "revoke", [key])["X-Frame-Options"] == "DENY"
    boss.handler.enforce_csrf_checks = True
    assert press(boss, ApiKey, "revoke", [key], confirmed=1).status_code == 403
    assert ApiKey.objects.get().revoked_at is None


def test_what_can_be_taken_back_asks_nothing(shop, boss):
    press(boss, Recommender, "switch_off", [Recommender.objects.get(pk="content")])
    assert not Recommender.objects.get(pk="content").enabled


def test_the_preview_asks_as_often_for_many_rows_as_for_one(shop, boss):
    people = list(Shopper.objects.all()[:12])
    links = []
    for account in people:
        visitor = create_visitor()
        decide_consent(shopper=visitor, decisions={"personalisation": True}, source="test")
        links.append(link_visitor(visitor=visitor, account=account))

    def queries(rows):
        with CaptureQueriesContext(connection) as asked:
            assert press(boss, ShopperLink, "undo", rows).status_code == 200
        return len(asked)

    queries(links[:1])
    assert queries(links) == queries(links[:1])
    assert admin_site._registry[ShopperLink].list_select_related
