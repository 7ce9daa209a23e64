"""A key is followed by another without a pause, and staff see which of the two is still used."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from shop_reco.checks import check_settings
from shop_reco.users.errors import DeadKeyError, RotatingKeyError
from shop_reco.users.key_uses import KeyUses
from shop_reco.users.models import ApiKey
from shop_reco.users.selectors import key_of
from shop_reco.users.services import issue_key, revoke_key, rotate_key
from tests.threads import at_once

WEEK = dt.timedelta(days=7)
LIST = "/admin/reco_users/apikey/"


@pytest.fixture
def clock(monkeypatch):
    """Moves the time of the tables on."""
    now = [timezone.now()]
    monkeypatch.setattr("django.utils.timezone.now", lambda: now[0])

    def later(**more):
        now[0] += dt.timedelta(**more)

    return later


@pytest.fixture
def pair(db, clock):
    """A key and the one that follows it, each with its plain text."""
    old, before = issue_key(name="warehouse", scopes=["events:write", "lists:read"])
    new, after = rotate_key(key=old)
    return (old, before), (new, after)


def test_the_key_that_follows_has_the_name_and_the_scopes_and_both_are_taken(pair):
    (old, before), (new, after) = pair
    assert (new.name, new.scopes, new.follows) == (old.name, old.scopes, old)
    assert (key_of(plain=before), key_of(plain=after)) == (old, new)
    assert before != after
    assert ApiKey.objects.get(pk=old.pk).ends_at == old.ends_at == timezone.now() + WEEK
    assert new.ends_at is None


def test_the_old_key_is_taken_for_a_week_and_not_longer(pair, clock):
    (old, before), (new, after) = pair
    clock(days=7, seconds=-1)
    assert key_of(plain=before) == old
    clock(seconds=1)
    assert key_of(plain=before) is None
    assert key_of(plain=after) == new


def test_a_shop_may_end_the_old_key_at_once(db, clock, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "KEY_GRACE": 0.0}
    old, before = issue_key(name="server", scopes=["lists:read"])
    _new, after = rotate_key(key=old)
    assert key_of(plain=before) is None
    assert key_of(plain=after)


@pytest.mark.parametrize("name", ["KEY_GRACE", "KEY_NOTED"])
def test_times_below_zero_are_refused_at_start(settings, name):
    settings.SHOP_RECO = {**settings.SHOP_RECO, name: -1.0}
    assert [(each.id, name in each.msg) for each in check_settings()] == [("shop_reco.E010", True)]


def test_either_of_two_keys_is_revoked_at_once_without_the_other(pair):
    (old, before), (new, after) = pair
    revoke_key(key=new)
    assert (key_of(plain=before), key_of(plain=after)) == (old, None)
    revoke_key(key=old)
    assert key_of(plain=before) is None


def test_no_third_key_is_taken_beside_two(pair, clock):
    for key, _plain in pair:
        with pytest.raises(RotatingKeyError):
            rotate_key(key=key)
    assert ApiKey.objects.count() == 2
    clock(days=7)
    newest, plain = rotate_key(key=pair[1][0])
    assert key_of(plain=plain) == newest


def test_a_follower_that_was_lost_is_revoked_and_makes_room_for_another(pair, clock):
    (old, before), (new, _after) = pair
    revoke_key(key=new)
    clock(days=1)
    another, plain = rotate_key(key=old)
    assert (another.follows, key_of(plain=plain), key_of(plain=before)) == (old, another, old)
    assert old.ends_at == timezone.now() + WEEK


def test_a_key_that_is_no_longer_taken_is_followed_by_none(pair, clock):
    (old, _), (new, _) = pair
    clock(days=7)
    revoke_key(key=new)
    for key in (old, new):
        with pytest.raises(DeadKeyError):
            rotate_key(key=key)
    assert ApiKey.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_rotations_at_once_one_makes_a_key():
    key, _plain = issue_key(name="server", scopes=["lists:read"])

    def rotated():
        try:
            return rotate_key(key=ApiKey.objects.get(pk=key.pk))[0]
        except RotatingKeyError:
            return None

    assert at_once(rotated, rotated, rotated).count(None) == 2
    assert ApiKey.objects.filter(follows=key).count() == 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda old, new: issue_key(name="third", scopes=[], follows=old),
        lambda old, new: ApiKey.objects.filter(pk=old.pk).update(follows=old),
        lambda old, new: ApiKey.objects.filter(pk=old.pk).update(ends_at=old.created_at - WEEK),
    ],
    ids=["two followers in force", "follows itself", "ends before it began"],
)
def test_the_database_refuses_what_no_rotation_makes(pair, wrong):
    (old, _), (new, _) = pair
    with pytest.raises(IntegrityError), transaction.atomic():
        wrong(old, new)


def test_the_command_prints_the_new_key_and_nothing_else(db, clock, capsys):
    old, _plain = issue_key(name="server", scopes=["lists:read"])
    call_command("rotate_key", old.prefix)
    told = capsys.readouterr()
    assert key_of(plain=told.out.strip()).follows == old
    assert f"{timezone.now() + WEEK:%Y-%m-%d %H:%M}" in told.err
    with pytest.raises(CommandError, match="midst of a rotation"):
        call_command("rotate_key", old.prefix)
    with pytest.raises(CommandError, match="no API key begins with"):
        call_command("rotate_key", "0" * 12)


def state_of(staff, key):
    page = staff.get(f"{LIST}{key.pk}/change/").content.decode()
    return re.search(r">\s*(live|ending|ended|revoked)\s*<", page)[1]


def test_the_button_on_a_keys_page_shows_the_new_one_once(staff, clock):
    old, _before = issue_key(name="warehouse", scopes=["lists:read"])
    assert "Rotate" in staff.get(f"{LIST}{old.pk}/change/").content.decode()
    reply = staff.post(f"{LIST}{old.pk}/rotate/", follow=True)
    plain = re.search(r"The key, shown this once: ([\w.-]+)", reply.content.decode())[1]
    new = key_of(plain=plain)
    assert (new.follows, reply.redirect_chain[-1][0]) == (old, f"{LIST}{new.pk}/change/")
    assert [state_of(staff, key) for key in (old, new)] == ["ending", "live"]
    assert plain not in staff.get(f"{LIST}{new.pk}/change/").content.decode()
    refused = staff.post(f"{LIST}{old.pk}/rotate/", follow=True).content.decode()
    assert "is being rotated already" in refused
    clock(days=7)
    assert state_of(staff, old) == "ended"
    assert "is no longer taken" in staff.post(f"{LIST}{old.pk}/rotate/", follow=True).content.decode()
    revoke_key(key=new)
    assert state_of(staff, new) == "revoked"
    assert ApiKey.objects.count() == 2


def test_a_key_is_rotated_in_the_list_and_never_by_a_link(staff):
    old, _plain = issue_key(name="warehouse", scopes=["lists:read"])
    assert staff.get(f"{LIST}{old.pk}/rotate/").status_code == 405
    assert ApiKey.objects.count() == 1
    page = staff.post(LIST, {"action": "rotate", "_selected_action": [old.pk]}, follow=True).content.decode()
    assert key_of(plain=re.search(r"The key, shown this once: ([\w.-]+)", page)[1]).follows == old


def test_who_may_not_add_keys_does_not_get_one_by_rotating(db, client):
    old, _plain = issue_key(name="warehouse", scopes=["privacy:admin"])
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.add(*Permission.objects.filter(codename__in=["view_apikey", "change_apikey"]))
    client.force_login(clerk)
    assert "Rotate" not in client.get(f"{LIST}{old.pk}/change/").content.decode()
    assert client.post(f"{LIST}{old.pk}/rotate/").status_code == 403
    client.post(LIST, {"action": "rotate", "_selected_action": [old.pk]})
    assert ApiKey.objects.count() == 1


@pytest.fixture
def noted(settings, transactional_db):
    """Notes a use of a key, as this process or as another, and waits for the row; returns what it says."""
    settings.SHOP_RECO = {**settings.SHOP_RECO, "KEY_NOTED": 60.0}
    here = KeyUses()

    def note(key, uses=here):
        if (writer := uses.note(ApiKey.objects.get(pk=key.pk))) is not None:
            writer.join(20)
        return ApiKey.objects.get(pk=key.pk).last_used_at

    return note


def test_a_use_is_noted_once_a_minute_in_all_processes_together(noted, clock):
    key, _plain = issue_key(name="server", scopes=["lists:read"])
    first = timezone.now()
    assert noted(key) == first
    clock(seconds=59)
    assert noted(key) == noted(key, KeyUses()) == first
    clock(seconds=1)
    assert noted(key, KeyUses()) == timezone.now()
    assert noted(key) == timezone.now()


def test_a_note_that_the_database_does_not_take_is_tried_again_a_minute_later(noted, monkeypatch):
    key, _plain = issue_key(name="server", scopes=["lists:read"])
    tried, uses, now = [], KeyUses(), [1000.0]
    monkeypatch.setattr("shop_reco.users.key_uses.time.monotonic", lambda: now[0])

    def refuse(*args, **values):
        tried.append(values)
        raise DatabaseError("attempt to write a readonly database")

    with monkeypatch.context() as broken:
        broken.setattr(QuerySet, "update", refuse)
        assert [noted(key, uses), noted(key, uses)] == [None, None]
        assert len(tried) == 1
    now[0] += 60
    assert noted(key, uses) is not None


def test_where_uses_are_not_noted_no_thread_is_begun(db):
    key, _plain = issue_key(name="server", scopes=["lists:read"])
    assert KeyUses().note(key) is None
