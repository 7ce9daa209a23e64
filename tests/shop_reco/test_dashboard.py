"""The admin's first page tells how it goes from counts, and each number leads to what is behind it."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shop_reco import dashboard_rows
from shop_reco.dashboard import charts, tiles
from shop_reco.dashboard_links import Links
from shop_reco.dashboard_rows import placement_rows
from shop_reco.events.models import Event
from shop_reco.events.services import track
from shop_reco.recommendations.models import CountedDay, ListCount, Placement, TrainingRun
from shop_reco.recommendations.reading import FEWEST, days_view
from shop_reco.recommendations.services import request_training, roll_up_answers
from shop_reco.recommendations.serving import recommend_for
from shop_reco.users.models import Shopper
from tests.shop_reco.recommendations.test_reading import count, keep

pytestmark = pytest.mark.django_db
EVERYTHING = {
    f"reco_{name}": True
    for name in (
        "recommendations.slate", "events.event", "products.product", "recommendations.modelversion",
        "recommendations.trainingrun", "recommendations.feedback", "events.rejectedevent",
        "recommendations.recommender",
    )
} | {"django_celery_beat.periodictask": True}  # fmt: skip


@pytest.fixture
def links():
    return Links("reco_admin", EVERYTHING)


def lists(n, *, rung="PERSONAL", placement="home", shoppers=FEWEST, days_ago=0):
    day = timezone.now().date() - dt.timedelta(days=days_ago)
    return ListCount.objects.create(day=day, placement=placement, rung=rung, lists=n, shoppers=shoppers)


def test_lists_of_the_day_are_told_with_how_many_of_those_meant_so_were_personal(links):
    lists(30)
    lists(10, rung="POPULAR")
    lists(100, placement="similar", rung="PERSONAL")
    lists(7, days_ago=1)
    told = {tile.name: (tile.value, tile.note) for tile in tiles(days_view(days=28), links)}
    assert told["Lists served today"] == ("140", "yesterday: 7")
    assert told["Personal share today"] == ("75.0%", "yesterday: 100.0%")


def test_few_shoppers_are_not_told_and_not_in_any_sum(links):
    lists(30)
    lists(9, rung="POPULAR", shoppers=FEWEST - 1)
    lists(2, rung="NEWEST", shoppers=0)  # strangers alone
    CountedDay.objects.create(day=timezone.now().date(), events=50, shoppers=FEWEST - 1)
    told = {tile.name: tile.value for tile in tiles(days_view(days=28), links)}
    assert (told["Lists served today"], told["Events today"]) == ("32", "-")
    (home,) = placement_rows(days_view(days=28), links)
    assert [(share.name, share.n) for share in home["shares"]] == [("Personal", 30), ("Newest", 2)]


def test_coverage_is_what_was_counted_last(links):
    CountedDay.objects.create(day=timezone.now().date() - dt.timedelta(days=1), shown=30, catalogue=120)
    (told,) = [tile for tile in tiles(days_view(days=28), links) if tile.name == "Coverage"]
    assert (told.value, told.note) == ("25.0%", "30 of 120 products were in a list of the last 7 days")
    chart = charts(days_view(days=28), links)[-1]
    assert [cells for _day, _address, cells in chart.rows[:3]] == [("-",), ("25.0%",), ("-",)]


def test_a_fall_is_told_first_with_the_way_to_the_lists_since_then(admin_client, trained):
    for ago, clicks in enumerate([1] * 4 + [5] * 10):
        groups = {group: (10, 10, clicks + group % 3, 0) for group in range(30)}
        keep(
            count(groups, days_ago=ago),
            count({30 + k: (10, 10, 2 + k % 3, 0) for k in range(20)}, arm="control", days_ago=ago),
        )
    page = admin_client.get("/admin/").content.decode()
    told = unescape(page.partition("data-fall>")[2].partition("</p>")[0])
    assert "shoppers click 20.0 times per 100 personal lists; before, 60.0." in told
    assert "it is something about the lists" in told
    since = timezone.now().date() - dt.timedelta(days=3)
    assert f"served_at__gte={since}" in told
    assert "/slate/why/?placement=home" in told
    assert admin_client.get("/admin/reco_recommendations/slate/why/?placement=home").status_code == 200


def addresses(page):
    body = page[page.index("reco-board") :]
    return {unescape(each) for each in re.findall(r'href="(/admin/[^"]*)"', body)}


def test_every_number_leads_to_a_page_that_opens(trained, person, staff):
    served = recommend_for(shopper=person, first=5)
    track(shopper=person, type="select_item", product=served.edges[0].product, slate_id=served.slate_id)
    request_training(kind="content")
    lists(30)
    roll_up_answers()
    CountedDay.objects.update(shoppers=9)
    ListCount.objects.update(shoppers=9)
    found = addresses(staff.get("/admin/").content.decode())
    assert len(found) > 50
    for address in sorted(found):
        reply = staff.get(address)
        assert reply.status_code == 200, address  # an unknown filter is answered by a way back


def test_who_may_see_only_lists_is_led_nowhere_else(trained, client):
    person = User.objects.create_user("viewer", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_slate"))
    client.force_login(person)
    page = client.get("/admin/").content.decode()
    assert "Lists served today" in page
    assert "Events today" not in page
    assert all("/reco_recommendations/slate/" in each for each in addresses(page))


def grow(numbers):
    """Rows of everything that the page tells, one for each number."""
    for k in numbers:
        shopper = Shopper.objects.create(external_id=f"grown{k}")
        Event.objects.create(
            id=uuid.uuid4(), shopper=shopper, type="search", query="tea", occurred_at=timezone.now(),
            received_at=timezone.now(), digest="0",
        )  # fmt: skip
        lists(9, placement=f"spot{k}", days_ago=k % 28)
        Placement.objects.create(key=f"spot{k}", title=f"Spot {k}", strategy="personal")
        TrainingRun.objects.create(recommender_id="popularity", state="done")


def test_the_page_asks_the_same_of_100_rows_as_of_10_and_nothing_of_events_or_lists(trained, staff, monkeypatch):
    monkeypatch.setattr(dashboard_rows.readiness, "verdicts", dict)  # it looks once a second
    asked = []
    for numbers in (range(10), range(10, 100)):
        grow(numbers)
        with CaptureQueriesContext(connection) as queries:
            staff.get("/admin/")
        asked.append([query["sql"] for query in queries])
    assert len(asked[0]) == len(asked[1]) == 19
    assert not any('FROM "reco_recommendations_slate"' in sql for sql in asked[1])
    assert [sql.count("LIMIT 10001") for sql in asked[1] if 'FROM "reco_events_event"' in sql] == [1]
