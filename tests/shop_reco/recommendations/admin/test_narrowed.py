"""The table of lists says to what a link, a filter or a search has narrowed it, and shows all again."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape

import pytest
from django.utils import timezone

from shop_reco.dashboard_links import Links
from shop_reco.recommendations.serving import recommend_for

PAGE = "/admin/reco_recommendations/slate/"


@pytest.fixture
def told(staff):
    """What the page at an address says above the table, as pairs."""

    def told(address, language="en"):
        page = staff.get(address, headers={"Accept-Language": language}, follow=True).content.decode()
        pairs = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page.partition('class="reco-narrowed"')[2])
        return [tuple(map(unescape, pair)) for pair in pairs]

    return told


@pytest.fixture
def links():
    return Links("reco_admin", {"reco_recommendations.slate": True})


def test_a_day_of_a_chart_is_told_with_its_placement_and_rung(shop, told, links):
    which = {"placement": "home", "rung__exact": "PERSONAL"}
    address = links.on("reco_recommendations.slate", "served_at", dt.date(2026, 3, 7), **which)
    assert told(address) == [
        ("Rung", "Personal"), ("Placement", "Picked for you"), ("Served at", "March 7, 2026 (UTC)"),
    ]  # fmt: skip
    assert told(address, "zh-hans") == [
        ("推荐层级", "个性化推荐"), ("展示位", "为您精选"), ("展示时间", "2026年3月7日（UTC）"),
    ]  # fmt: skip


def test_a_time_without_an_end_is_told_in_local_time(shop, told, links, settings):
    settings.TIME_ZONE = "Asia/Shanghai"
    start = dt.datetime(2026, 3, 7, tzinfo=dt.UTC)
    with timezone.override("Asia/Shanghai"):
        assert told(links.since("reco_recommendations.slate", "served_at", start)) == [
            ("Served at", "from March 7, 2026, 8 a.m.")
        ]


def test_a_search_is_told_and_all_are_shown_again(trained, person, staff, told):
    served = recommend_for(shopper=person, first=3)
    recommend_for(shopper=person, first=3, placement="popular")
    address = f"{PAGE}?q={served.slate_id}"
    assert told(address) == [("Search", str(served.slate_id))]
    page = staff.get(address).content.decode()
    (back,) = re.findall(r'<a href="([^"]*)">Show all lists</a>', page)
    assert told(f"{PAGE}{back}") == []
    assert staff.get(f"{PAGE}{back}").context["cl"].result_list.count() == 2


def test_what_is_unknown_is_told_as_it_was_asked_and_what_hinders_nobody_is_not(shop, told):
    assert told(f"{PAGE}?placement=attic") == [("Placement", "attic")]
    assert told(f"{PAGE}?placement=&o=1&p=1") == []
    assert told(f"{PAGE}?served_at__lt=2026-03-07T00:00:00Z") == [("Served at", "before March 7, 2026, midnight")]
