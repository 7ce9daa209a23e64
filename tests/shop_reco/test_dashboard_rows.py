"""Rows of the admin's first page: what serves, how fresh it is, and when worker and schedule were last heard of."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from shop_reco import dashboard_rows
from shop_reco.dashboard_links import Links
from shop_reco.dashboard_rows import freshness, shares, signs
from shop_reco.events.models import RejectedEvent
from shop_reco.events.services import track
from shop_reco.monitoring import selectors
from shop_reco.recommendations.models import CountedDay, ModelVersion
from shop_reco.recommendations.services import KINDS, roll_up_answers, set_enabled
from tests.shop_reco.test_dashboard import EVERYTHING

pytestmark = pytest.mark.django_db


@pytest.fixture
def links():
    return Links("reco_admin", EVERYTHING)


def test_the_dashboard_says_when_nothing_is_trained(shop, staff):
    assert "Nothing that is switched on has been trained" in staff.get("/admin/").content.decode()


def test_the_dashboard_says_when_all_is_switched_off(trained, staff):
    for kind in KINDS:
        set_enabled(kind=kind, enabled=False)
    assert "Every recommender is switched off" in staff.get("/admin/").content.decode()


def test_the_dashboard_says_how_many_recommenders_are_on(trained, staff):
    assert "recommenders are on" not in staff.get("/admin/").content.decode()
    set_enabled(kind="user_cf", enabled=False)
    page = staff.get("/admin/").content.decode()
    assert "8 of 9 recommenders are on; switched off: User-based CF." in page


def test_a_live_version_is_told_with_the_events_that_it_has_not_learnt(trained, person, links):
    before = {str(row["name"]): row["news"] for row in freshness(links)}
    assert before["Popularity"] == "0"
    track(shopper=person, type="purchase", product=trained.products["Tea-1"])
    assert {str(row["name"]): row["news"] for row in freshness(links)}["Popularity"] == "1"


def test_news_beyond_ten_thousand_are_not_counted_on(trained, person, links, monkeypatch):
    for module in (selectors, dashboard_rows):
        monkeypatch.setattr(module, "MOST", 1)
    ModelVersion.objects.filter(recommender="popularity").update(watermark=timezone.now() - dt.timedelta(days=30))
    (row,) = [row for row in freshness(links) if row["name"].kind == "popularity"]
    assert row["news"] == "more than 1"


def test_the_machinery_tells_when_it_was_last_heard_of_and_what_it_refused(shop, person, links):
    def told():
        return {sign.name: (sign.text, sign.mood) for sign in signs(links)}

    assert told()["Worker"] == ("not heard of yet", "warning")
    assert told()["Events refused today"] == ("0", "success")
    roll_up_answers()
    RejectedEvent.objects.create(payload={}, code="X", message="x", shopper=person, received_at=timezone.now())
    assert told()["Worker"][1] == "success"
    assert told()["Events refused today"] == ("1", "warning")
    CountedDay.objects.update(counted_at=timezone.now() - dt.timedelta(hours=2))
    assert told()["Worker"][1] == "danger"


def test_shares_lie_side_by_side_and_fill_the_whole():
    parts = shares([("a", 1, "", ""), ("b", 0, "", ""), ("c", 3, "", "")])
    assert [(each.left, each.width) for each in parts] == [(0, 25), (25, 0), (25, 75)]
    assert shares([("a", 0, "", "")]) == []
