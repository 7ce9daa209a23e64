"""What lists led to is counted day by day, again and again the same, and without whoever left."""

from __future__ import annotations

import datetime as dt
import tracemalloc
import uuid

import pytest
from django.utils import timezone

from shop_reco.events.flags import Suspicion, raise_flags
from shop_reco.events.models import DataImport
from shop_reco.events.services import Sender, record_events
from shop_reco.events.services import track as report
from shop_reco.privacy.services import erase_shopper
from shop_reco.products.models import Product
from shop_reco.recommendations.models import AnswerCount, CountedDay, ShopperAnswers, Slate
from shop_reco.recommendations.services import answers as counting
from shop_reco.recommendations.services import count_day, roll_up_answers
from shop_reco.users.models import Shopper
from shop_reco.users.services import create_visitor, decide_consent, link_visitor

NOW = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0) - dt.timedelta(days=1)
CONSENTS = {"personalisation": True, "training": True, "analytics": True}


@pytest.fixture
def people(shop):
    return [Shopper.objects.get(external_id=f"h{n}") for n in range(8)]


def serve(shopper, products, *, at=NOW, control=False, placement="home", source="item_cf"):
    reasons = [{"kind": "HISTORY_ITEM", "points": 0.5, "evidence": [], "source": source}]
    items = [{"product": each.pk, "score": 0.5, "placed_by": "SCORE", "reasons": reasons} for each in products]
    return Slate.objects.create(
        id=uuid.uuid4(), shopper=shopper, placement=placement, rung="PERSONAL", items=items, control=control,
        served_at=at,
    )  # fmt: skip


def answer(shopper, product, type_, slate=None, *, at=NOW):
    report(
        shopper=shopper, type=type_, product=product, slate_id=slate.pk if slate else None,
        occurred_at=at + dt.timedelta(minutes=1),
    )  # fmt: skip


def rows(**which):
    found = AnswerCount.objects.filter(**which).order_by("day", "placement", "arm", "recommender")
    return list(found.values_list("day", "placement", "arm", "recommender", "shoppers", *counting.FIELDS, "groups"))


def counts(placement="home", arm="personal", recommender=""):
    found = AnswerCount.objects.filter(placement=placement, arm=arm, recommender=recommender).first()
    return found and [found.shoppers, *(getattr(found, name) for name in counting.FIELDS)]


def clicked_and_bought(shopper, products):
    slate = serve(shopper, products)
    answer(shopper, products[0], "select_item", slate)
    answer(shopper, products[0], "purchase", at=NOW + dt.timedelta(minutes=5))
    return slate


def test_lists_clicks_and_purchases_are_counted_by_placement_arm_and_recommender(shop, people):
    tea, soap = shop.products["Tea-1"], shop.products["Soap-1"]
    clicked_and_bought(people[0], [tea, soap])
    serve(people[0], [soap])
    serve(people[1], [tea], control=True, source="popularity")
    serve(people[1], [tea], placement="similar")
    roll_up_answers()
    assert counts() == [1, 2, 1, 1, 1]
    assert counts(recommender="item_cf") == [1, 2, 1, 1, 1]
    assert counts(arm="control", recommender="popularity") == [1, 1, 0, 0, 0]
    assert counts("similar", "other") == [1, 1, 0, 0, 0]


def test_a_variant_that_is_bought_counts_for_its_parent(shop, people):
    tea = shop.products["Tea-1"]
    small = Product.objects.create(sku="Tea-1-s", title="Tea 1, small", parent=tea, currency="USD")
    slate = serve(people[0], [tea])
    answer(people[0], small, "add_to_cart", slate)
    answer(people[0], small, "purchase", at=NOW + dt.timedelta(hours=1))
    roll_up_answers()
    assert counts() == [1, 1, 1, 1, 1]


def test_a_list_that_was_seen_counts_as_an_impression(shop, people):
    slate = serve(people[0], [shop.products["Tea-1"]])
    seen = {"id": uuid.uuid4(), "type": "view_item_list", "slate_id": slate.pk}
    record_events(events=[seen], shopper=people[0], sender=Sender.BROWSER)
    roll_up_answers()
    assert counts() == [1, 1, 1, 0, 0]


def test_nobody_answers_for_somebody_else(shop, people):
    tea = shop.products["Tea-1"]
    slate = serve(people[0], [tea])
    answer(people[1], tea, "select_item", slate)
    roll_up_answers()
    assert counts() == [1, 1, 0, 0, 0]


def test_a_visitors_list_is_credited_with_what_they_bought_after_signing_in(shop, people):
    tea, visitor = shop.products["Tea-1"], create_visitor()
    decide_consent(shopper=visitor, decisions=CONSENTS, source="test")
    slate = serve(visitor, [tea])
    answer(visitor, tea, "select_item", slate)
    assert link_visitor(visitor=visitor, account=people[0])
    answer(people[0], tea, "purchase", at=NOW + dt.timedelta(minutes=5))
    roll_up_answers()
    assert counts() == [1, 1, 1, 1, 1]
    assert [each.shopper_id for each in ShopperAnswers.objects.filter(day=NOW.date())] == [people[0].pk]


def test_counting_a_day_again_gives_the_same_rows(shop, people):
    for place, person in enumerate(people):
        clicked_and_bought(person, list(shop.products.values())[place : place + 5])
    roll_up_answers()
    first = rows()
    assert first
    roll_up_answers()
    count_day(day=NOW.date(), now=timezone.now())
    assert rows() == first


def test_however_few_lists_are_read_at_once_the_counts_are_the_same(shop, people, monkeypatch):
    products = list(Product.objects.order_by("pk")[:3])
    for n, person in enumerate(people):
        for _ in range(n % 3 + 1):
            clicked_and_bought(person, products)
    count_day(day=NOW.date(), now=NOW)
    whole, held = rows(), []
    counted = counting._counted
    monkeypatch.setattr(counting, "LISTS", 2)
    monkeypatch.setattr(counting, "_counted", lambda day, members: held.append(set(members)) or counted(day, members))
    count_day(day=NOW.date(), now=NOW)
    assert rows() == whole
    assert set.union(*held) == {person.pk for person in people}
    assert max(Slate.objects.filter(shopper__in=some).count() for some in held) <= 2 - 1 + 3  # and whose they are, all


def test_five_times_the_lists_take_no_more_memory(shop, people):
    products, peaks = list(shop.products.values())[:20], []
    for n in (100, 400):
        for _ in range(n):
            serve(people[0], products)
        tracemalloc.start()
        count_day(day=NOW.date(), now=timezone.now())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert counts() == [1, 500, 0, 0, 0]
    assert peaks[1] < peaks[0] + 500_000


def test_recommenders_sum_to_the_whole(shop, people):
    for place, person in enumerate(people):
        products = list(shop.products.values())
        slate = serve(person, products[place : place + 3], source=("item_cf", "content", "")[place % 3])
        answer(person, products[place], "select_item", slate)
    roll_up_answers()
    whole = counts()
    parts = [counts(recommender=name) for name in ("item_cf", "content", "other")]
    assert [sum(values) for values in zip(*parts, strict=True)] == whole


def test_a_later_purchase_reopens_its_day_and_a_closed_day_stays(shop, people):
    tea, long_ago = shop.products["Tea-1"], NOW - dt.timedelta(days=5)
    slate = serve(people[0], [tea], at=long_ago)
    answer(people[0], tea, "select_item", slate, at=long_ago)
    roll_up_answers(now=NOW)
    answer(people[0], tea, "purchase", at=NOW)
    roll_up_answers(now=NOW + dt.timedelta(hours=1))  # counted today already
    assert counts() == [1, 1, 1, 1, 0]
    roll_up_answers(now=NOW + dt.timedelta(days=1, minutes=1))
    assert counts() == [1, 1, 1, 1, 1]
    last = CountedDay.objects.get(day=long_ago.date())
    roll_up_answers(now=NOW + dt.timedelta(days=12))
    roll_up_answers(now=NOW + dt.timedelta(days=14))
    closed = CountedDay.objects.get(day=long_ago.date())
    assert last.counted_at < closed.counted_at == NOW + dt.timedelta(days=12)


def test_a_count_that_was_cut_off_is_begun_again(shop, people, monkeypatch):
    day = (NOW - dt.timedelta(days=3)).date()
    roll_up_answers(now=NOW)
    serve(people[0], [shop.products["Tea-1"]], at=NOW - dt.timedelta(days=3))

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(counting, "_sum", killed)
        with pytest.raises(KeyboardInterrupt):
            count_day(day=day, now=NOW)
    roll_up_answers(now=NOW)
    assert AnswerCount.objects.get(day=day, recommender="").lists == 1


@pytest.mark.parametrize("leave", ["withdraw", "erase"])
def test_who_leaves_is_out_of_every_sum_at_once_as_if_never_in_it(shop, people, leave):
    products = list(shop.products.values())
    for place, person in enumerate(people[:6]):
        clicked_and_bought(person, products[place : place + 3])
    clicked_and_bought(people[6], products[:3])
    roll_up_answers()
    everybody = rows()
    if leave == "withdraw":
        decide_consent(shopper=people[6], decisions={"analytics": False}, source="test")
    else:
        erase_shopper(shopper=people[6])
    left = rows()
    assert left != everybody
    count_day(day=NOW.date(), now=timezone.now())
    assert rows() == left
    assert not ShopperAnswers.objects.filter(shopper_id=people[6].pk).exists()


def test_who_leaves_while_their_day_is_counted_is_not_in_it(shop, people, monkeypatch):
    clicked_and_bought(people[0], [shop.products["Tea-1"]])
    clicked_and_bought(people[1], [shop.products["Tea-1"]])
    counted = counting._counted

    def left_meanwhile(day, members):
        found = counted(day, members)
        decide_consent(shopper=people[0], decisions={"analytics": False}, source="test")
        return found

    monkeypatch.setattr(counting, "_counted", left_meanwhile)
    roll_up_answers()
    assert counts()[0] == 1


def test_who_does_not_allow_analytics_is_not_counted(shop, people):
    decide_consent(shopper=people[0], decisions={"analytics": False}, source="test")
    serve(people[0], [shop.products["Tea-1"]])
    roll_up_answers()
    assert not AnswerCount.objects.exists()
    assert not ShopperAnswers.objects.filter(shopper=people[0]).exists()


def test_who_allows_no_personal_lists_is_compared_with_nobody(shop, people):
    decide_consent(shopper=people[0], decisions={"personalisation": False}, source="test")
    serve(people[0], [shop.products["Tea-1"]])
    roll_up_answers()
    assert counts() is None
    assert counts(arm="other") == [1, 1, 0, 0, 0]


def test_whom_a_rule_about_bots_flagged_is_not_counted(shop, people):
    raise_flags(suspicions=[Suspicion(people[0].pk, "bots", "1", {})])
    serve(people[0], [shop.products["Tea-1"]])
    serve(people[1], [shop.products["Tea-1"]])
    roll_up_answers()
    assert counts() == [1, 1, 0, 0, 0]


def test_who_asks_for_more_lists_than_a_person_does_is_not_counted(shop, people, monkeypatch):
    monkeypatch.setattr(counting, "MOST", 3)
    for _ in range(4):
        serve(people[0], [shop.products["Tea-1"]])
    serve(people[1], [shop.products["Tea-1"]])
    roll_up_answers()
    assert counts() == [1, 1, 0, 0, 0]


def events_on(day):
    return CountedDay.objects.values_list("events", "shoppers").get(day=day)


def test_events_of_a_day_are_counted_with_those_who_did_them_lists_or_none(shop, people):
    tea = shop.products["Tea-1"]
    clicked_and_bought(people[0], [tea])
    answer(people[1], tea, "view_item")
    answer(people[2], tea, "view_item")
    decide_consent(shopper=people[2], decisions={"analytics": False}, source="test")
    raise_flags(suspicions=[Suspicion(people[3].pk, "bots", "1", {})])
    answer(people[3], tea, "view_item")
    roll_up_answers()
    assert events_on(NOW.date()) == (3, 2)


@pytest.mark.parametrize("leave", ["withdraw", "erase"])
def test_who_leaves_takes_their_events_out_of_the_day_at_once(shop, people, leave):
    tea = shop.products["Tea-1"]
    for person in people[:3]:
        answer(person, tea, "view_item")
    clicked_and_bought(people[3], [tea])
    roll_up_answers()
    assert events_on(NOW.date()) == (5, 4)
    if leave == "withdraw":
        decide_consent(shopper=people[3], decisions={"analytics": False}, source="test")
    else:
        erase_shopper(shopper=people[3])
    assert events_on(NOW.date()) == (3, 3)
    count_day(day=NOW.date(), now=timezone.now())
    assert events_on(NOW.date()) == (3, 3)


def test_a_closed_day_is_counted_once_more_after_an_import(shop, people):
    long_ago = NOW - dt.timedelta(days=20)
    roll_up_answers(now=NOW)
    before = events_on(long_ago.date())
    answer(people[0], shop.products["Tea-1"], "view_item", at=long_ago)
    roll_up_answers(now=NOW + dt.timedelta(minutes=10))
    assert events_on(long_ago.date()) == before
    DataImport.objects.create(source="orders", finished_at=NOW + dt.timedelta(minutes=20))
    roll_up_answers(now=NOW + dt.timedelta(minutes=30))
    assert events_on(long_ago.date())[0] == before[0] + 1


def test_what_is_older_than_it_is_shown_goes(shop, people):
    serve(people[0], [shop.products["Tea-1"]], at=NOW - dt.timedelta(days=20))
    roll_up_answers(now=NOW)
    assert counts() is not None
    roll_up_answers(now=NOW + dt.timedelta(days=9))
    old = ShopperAnswers.objects.filter(day__lt=(NOW - dt.timedelta(days=18)).date())
    assert (AnswerCount.objects.count(), old.count()) == (0, 0)
