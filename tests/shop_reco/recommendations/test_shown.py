"""How lists came about and what they showed is counted without anybody in it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from shop_reco.privacy.services import erase_shopper
from shop_reco.recommendations.models import CountedDay, ListCount, ShownProduct, Slate
from shop_reco.recommendations.services import roll_up_answers
from tests.shop_reco.recommendations.test_answers import NOW, people, serve

__all__ = ["people"]


def counted():
    return list(ListCount.objects.order_by("day", "rung").values_list("placement", "rung", "lists", "shoppers"))


@pytest.fixture
def today(shop):
    return CountedDay.objects.filter(day=timezone.now().date()).values_list("shown", "catalogue")


def test_lists_are_counted_by_how_they_came_about_those_of_strangers_too(shop, people):
    tea = [shop.products["Tea-1"]]
    serve(people[0], tea)
    serve(people[0], tea)
    serve(people[1], tea)
    Slate.objects.filter(pk=serve(None, tea).pk).update(rung="POPULAR")
    roll_up_answers()
    assert counted() == [("home", "PERSONAL", 3, 2), ("home", "POPULAR", 1, 0)]
    roll_up_answers()
    assert counted() == [("home", "PERSONAL", 3, 2), ("home", "POPULAR", 1, 0)]


def test_who_is_erased_takes_their_lists_out_when_the_day_is_counted_next(shop, people):
    serve(people[0], [shop.products["Tea-1"]], at=timezone.now())
    serve(people[1], [shop.products["Tea-1"]], at=timezone.now())
    roll_up_answers()
    erase_shopper(shopper=people[0])
    roll_up_answers()
    assert counted() == [("home", "PERSONAL", 1, 1)]


def test_a_product_is_covered_for_seven_days_after_the_last_list_that_showed_it(shop, people, today):
    tea, soap = shop.products["Tea-1"], shop.products["Soap-1"]
    serve(people[0], [tea, soap], at=timezone.now() - dt.timedelta(days=6))
    serve(None, [tea], at=NOW)
    roll_up_answers()
    assert list(today) == [(2, 36)]
    assert ShownProduct.objects.get(product=tea).day == NOW.date()
    roll_up_answers(now=timezone.now() + dt.timedelta(days=1))
    tomorrow = CountedDay.objects.get(day=timezone.now().date() + dt.timedelta(days=1))
    assert (tomorrow.shown, list(today)) == (1, [(2, 36)])


def test_what_may_not_be_shown_any_more_is_not_covered(shop, people, today):
    tea = shop.products["Tea-1"]
    serve(people[0], [tea, shop.products["Soap-1"]], at=NOW)
    tea.visible = False
    tea.save()
    roll_up_answers()
    assert list(today) == [(1, 35)]


def test_counts_of_lists_go_with_what_is_older_than_it_is_shown(shop, people):
    serve(people[0], [shop.products["Tea-1"]], at=NOW - dt.timedelta(days=20))
    roll_up_answers(now=NOW)
    assert counted()
    roll_up_answers(now=NOW + dt.timedelta(days=9))
    assert (counted(), ShownProduct.objects.count()) == ([], 0)
