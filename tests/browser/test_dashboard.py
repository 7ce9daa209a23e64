"""The admin's first page in a browser: read by axe, in two languages, on a phone and by keyboard."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from shop_reco.recommendations.models import CountedDay, ListCount
from shop_reco.recommendations.serving import recommend_for
from tests.browser.test_explorer import read, staff
from tests.shop_reco.recommendations.test_reading import count, keep

__all__ = ["staff"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def counted():
    """A week of everything that is charted."""
    for k in range(7):
        day = timezone.now().date() - dt.timedelta(days=k)
        CountedDay.objects.create(
            day=day, events=900 + k, shoppers=50, shown=14, catalogue=36, counted_at=timezone.now()
        )
        for rung in ("PERSONAL", "POPULAR"):
            ListCount.objects.create(day=day, placement="home", rung=rung, lists=200, shoppers=30)
        keep(
            count({g: (10, 10, 3 + (g + k) % 2, g % 2) for g in range(40)}, days_ago=k),
            count({g: (10, 10, 1 + (g + k) % 2, g % 2) for g in range(40, 60)}, arm="control", days_ago=k),
        )


def test_the_first_page_of_a_shop_that_has_served_nothing(staff, live_server):
    staff.goto(live_server.url + "/admin/")
    read(staff)


def test_the_first_page_tells_its_numbers_by_keyboard_and_leads_to_what_is_behind_them(staff, live_server, person):
    recommend_for(shopper=person, first=5)
    counted()
    staff.goto(live_server.url + "/admin/")
    assert staff.locator(".reco-chart svg[role=img]").count() == 5
    first = staff.locator(".reco-chart details").first
    first.locator("summary").focus()
    staff.keyboard.press("Enter")
    assert first.locator("tbody tr").count() == 28
    read(staff)
    first.locator("tbody a").first.focus()
    staff.keyboard.press("Enter")
    staff.wait_for_url("**/reco_recommendations/slate/**")
    assert staff.locator("#result_list tbody tr").count() == 1
    read(staff)
    staff.locator(".reco-narrowed a").focus()
    staff.keyboard.press("Enter")
    staff.wait_for_url("**/reco_recommendations/slate/?")
    assert staff.locator(".reco-narrowed").count() == 0
