"""That staff looked at a portrait is kept, for the shopper to see."""

from __future__ import annotations

from shop_reco.portraits.services import refresh_dirty
from shop_reco.users.models import StaffRead


def test_each_look_at_a_portrait_is_a_row_with_who_and_why(shop, person, staff):
    refresh_dirty()
    address = f"/admin/reco_portraits/portrait/{person.pk}/change/"
    staff.get(address)
    staff.get(address, {"why": "a question of theirs"})
    rows = StaffRead.objects.order_by("pk").values_list("shopper__external_id", "staff__username", "what", "why")
    assert list(rows) == [("h0", "staff", "portrait", ""), ("h0", "staff", "portrait", "a question of theirs")]


def test_a_portrait_that_was_not_shown_was_not_read(shop, person, staff):
    staff.get("/admin/reco_portraits/portrait/0/change/")
    staff.logout()
    staff.get(f"/admin/reco_portraits/portrait/{person.pk}/change/")
    assert not StaffRead.objects.exists()
