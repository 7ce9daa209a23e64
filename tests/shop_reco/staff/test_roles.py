"""What the groups of the roles hold, and what a shop makes of them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.utils import translation

from shop_reco.staff.models import Role
from shop_reco.staff.roles import ROLES
from shop_reco.staff.services import ensure_roles


def names(group):
    return {f"{each.content_type.app_label}.{each.codename}" for each in group.permissions.all()}


def test_each_role_is_a_group_that_holds_what_the_table_says(db):
    assert set(Role.Kind.values) == set(ROLES) == set(Role.objects.values_list("kind", flat=True))
    for kind, wanted in ROLES.items():
        held = names(Group.objects.get(name=f"reco_{kind}"))
        assert {name for name in wanted if not name.endswith("*")} <= held
        if kind != "administrator":
            assert held == set(wanted)


def test_administrators_hold_every_permission_of_the_plugin_and_may_not_edit_groups(db):
    held = names(Role.objects.get(pk="administrator").group)
    ours = Permission.objects.filter(content_type__app_label__startswith="reco_").select_related("content_type")
    assert {f"{each.content_type.app_label}.{each.codename}" for each in ours} <= held
    assert {name for name in held if name.startswith("auth.")} == {
        "auth.view_user", "auth.add_user", "auth.change_user", "auth.delete_user", "auth.view_group",
    }  # fmt: skip


def test_what_the_shop_added_stays_and_what_it_took_or_deleted_does_not_come_back(db):
    viewers, extra = Role.objects.get(pk="viewer").group, Permission.objects.get(codename="add_brand")
    viewers.permissions.add(extra)
    viewers.permissions.remove(Permission.objects.get(codename="view_rule"))
    viewers.name = "people who look"
    viewers.save()
    Role.objects.get(pk="analyst").group.delete()
    call_command("migrate", verbosity=0)
    ensure_roles()
    viewers.refresh_from_db()
    assert (viewers.name, Role.objects.get(pk="viewer").group) == ("people who look", viewers)
    assert names(viewers) == {*ROLES["viewer"], "reco_products.add_brand"} - {"reco_recommendations.view_rule"}
    assert Role.objects.get(pk="analyst").group is None
    assert not Group.objects.filter(name="reco_analyst").exists()


def test_a_shops_own_group_of_the_same_word_is_given_nothing(db):
    own = Group.objects.create(name="viewer")
    ensure_roles()
    assert not own.permissions.exists()


def test_a_role_is_named_in_the_readers_language_and_stored_in_none():
    assert str(Role(kind="viewer")) == "Viewer"
    with translation.override("zh-hans"):
        assert Role(kind="viewer").kind == "viewer"


def test_administrators_give_roles_but_neither_superuser_nor_what_they_may_not_do(team):
    boss, colleague = team["administrator"], User.objects.create_user("new", is_staff=True)
    strong = Group.objects.create(name="the host's")
    strong.permissions.add(Permission.objects.get(codename="change_group"))
    page = boss.client.get(f"/admin/auth/user/{colleague.pk}/change/").content.decode()
    assert "Merchandiser" in page
    assert "the host&#x27;s" not in page
    assert 'name="is_superuser"' not in page
    assert 'name="user_permissions"' not in page
    merchandisers = Role.objects.get(pk="merchandiser").group
    form = {
        "username": "new", "is_active": "on", "is_staff": "on", "is_superuser": "on",
        "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00",
    }  # fmt: skip
    change = f"/admin/auth/user/{colleague.pk}/change/"
    assert boss.client.post(change, {**form, "groups": [strong.pk]}).status_code == 200
    assert boss.client.post(change, {**form, "groups": [merchandisers.pk]}).status_code == 302
    colleague.refresh_from_db()
    assert (list(colleague.groups.all()), colleague.is_superuser) == ([merchandisers], False)


@pytest.mark.parametrize("page", ["password/", "delete/"])
def test_administrators_leave_the_accounts_of_those_who_may_do_more_alone(team, page):
    boss = team["administrator"].client
    owner = User.objects.create_superuser("owner")
    other = User.objects.create_user("of the host", is_staff=True)
    other.user_permissions.add(Permission.objects.get(codename="change_group"))
    for account in (owner, other):
        assert boss.get(f"/admin/auth/user/{account.pk}/{page}").status_code == 403
        assert boss.post(f"/admin/auth/user/{account.pk}/change/", {}).status_code == 403
    assert boss.get(f"/admin/auth/user/{team['viewer'].user.pk}/{page}").status_code == 200


def test_accounts_are_closed_to_staff_who_may_not_see_personal_data(client, db):
    user = User.objects.create_user("half", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__endswith="_user", content_type__app_label="auth"))
    client.force_login(user)
    assert client.get("/admin/auth/user/").status_code == 403
    assert client.get("/admin/auth/user/add/").status_code == 403
    assert client.get(f"/admin/auth/user/{user.pk}/change/").status_code == 403
