"""Staff say why before they look at a portrait or behind its numbers; each look is kept, for the shopper to see."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from shop_reco.portraits.access import SESSION
from shop_reco.portraits.services import refresh_dirty
from shop_reco.privacy.services import erase_shopper
from shop_reco.users.models import Shopper, StaffRead

WHY = "a question of theirs"
ASKED = "Why do you look at this?"
PAGE, BEHIND = "change/", "from/?kind=type&key=purchase"


def at(person, path=PAGE):
    return f"/admin/reco_portraits/portrait/{person.pk}/{path}"


def looks():
    rows = StaffRead.objects.order_by("pk").values_list("shopper__external_id", "staff__username", "what", "why")
    return list(rows)


@pytest.mark.parametrize(("path", "what"), [(PAGE, "portrait"), (BEHIND, "evidence")])
def test_a_page_asks_why_before_it_shows_anything(shop, person, staff, path, what):
    refresh_dirty()
    asking = staff.get(at(person, path)).content.decode()
    assert ASKED in asking
    assert "Tea" not in asking
    assert looks() == []
    answered = staff.post(at(person, path), {"why": f" {WHY} "})
    assert (answered.status_code, answered.url, looks()) == (302, at(person, path), [])
    shown = staff.get(at(person, path)).content.decode()
    assert "Tea" in shown
    assert ASKED not in shown
    assert looks() == [("h0", "staff", what, WHY)]


def test_one_answer_counts_for_each_look_at_this_shopper_and_at_nobody_else(shop, person, staff):
    refresh_dirty()
    staff.post(at(person), {"why": WHY})
    for path in (PAGE, BEHIND, BEHIND):
        staff.get(at(person, path))
    assert [(what, why) for _, _, what, why in looks()] == [("portrait", WHY), ("evidence", WHY), ("evidence", WHY)]
    other = Shopper.objects.get(external_id="h1")
    assert ASKED in staff.get(at(other)).content.decode()
    staff.post(at(other), {"why": "another"})
    staff.get(at(other))
    staff.get(at(person))
    assert looks()[3:] == [("h1", "staff", "portrait", "another"), ("h0", "staff", "portrait", WHY)]


def test_an_hour_after_the_first_look_it_is_asked_again(shop, person, staff):
    refresh_dirty()
    staff.post(at(person), {"why": WHY})
    staff.get(at(person))
    StaffRead.objects.update(read_at=timezone.now() - dt.timedelta(minutes=59))
    assert ASKED not in staff.get(at(person)).content.decode()
    StaffRead.objects.filter(pk=StaffRead.objects.order_by("pk").first().pk).update(
        read_at=timezone.now() - dt.timedelta(minutes=61)
    )
    assert ASKED in staff.get(at(person)).content.decode()


def test_a_reason_is_nobody_elses_and_not_the_addresss(shop, person, staff, client):
    refresh_dirty()
    assert ASKED in staff.get(at(person), {"why": WHY}).content.decode()
    staff.post(at(person), {"why": WHY})
    staff.get(at(person))
    client.force_login(User.objects.create_superuser("another"))
    assert ASKED in client.get(at(person)).content.decode()
    assert len(looks()) == 1


@pytest.mark.parametrize("why", ["", "   ", "x" * 257, "a\0b"])
def test_an_answer_that_is_none_is_asked_again_and_says_what_is_wrong(shop, person, staff, why):
    refresh_dirty()
    page = staff.post(at(person), {"why": why}).content.decode()
    assert ASKED in page
    assert 'role="alert"' in page
    assert ASKED in staff.get(at(person)).content.decode()
    assert looks() == []


def test_a_reason_opens_nothing_to_whoever_has_no_permission(shop, person, client):
    refresh_dirty()
    user = User.objects.create_user("reader", is_staff=True)
    client.force_login(user)
    assert [client.post(at(person, path), {"why": WHY}).status_code for path in (PAGE, BEHIND)] == [403, 403]
    user.user_permissions.add(Permission.objects.get(codename="view_portrait"))
    assert client.post(at(person), {"why": WHY}).status_code == 302
    assert client.get(at(person, BEHIND)).status_code == 403
    assert client.post(at(person, BEHIND), {"why": WHY}).status_code == 403
    assert looks() == []


def test_a_portrait_that_was_not_shown_was_not_read(shop, person, staff):
    staff.post("/admin/reco_portraits/portrait/0/change/", {"why": WHY})
    staff.get("/admin/reco_portraits/portrait/0/change/")
    staff.logout()
    staff.get(at(person))
    assert not StaffRead.objects.exists()


def test_the_shopper_finds_who_looked_behind_a_number_and_why_in_their_export(shop, person, staff, exported):
    refresh_dirty()
    staff.post(at(person, BEHIND), {"why": WHY})
    staff.get(at(person, BEHIND))
    (read,) = exported(person)["staffread"]
    assert (read["staff__username"], read["what"], read["why"]) == ("staff", "evidence", WHY)


def test_the_session_of_staff_keeps_no_word_of_it_after_the_look(shop, person, staff):
    refresh_dirty()
    staff.post(at(person), {"why": WHY})
    staff.get(at(person))
    assert staff.session[SESSION] == {str(person.pk): StaffRead.objects.get().pk}
    erase_shopper(shopper=person)
    assert looks() == [(None, "staff", "portrait", "")]
