"""Alike complaints are told together once enough shoppers stand behind them, and whether they grew less."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.utils import timezone

from shop_reco.events.models import Event
from shop_reco.products.models import Category
from shop_reco.recommendations import themes as module
from shop_reco.recommendations.models import AnswerCount, Feedback, ModelVersion, Promotion, Slate
from shop_reco.recommendations.services import decide, request_training
from shop_reco.recommendations.serving import recommend_for
from shop_reco.recommendations.themes import ShownAgain, themes
from shop_reco.recommendations.training import run_next
from shop_reco.users.models import Consent, Shopper, ShopperLink

BASE = "/admin/reco_recommendations/feedback"


@pytest.fixture
def say(shop):
    """Has shoppers complain of a product, by the numbers of the shoppers; ``days`` ago."""

    def say(numbers, sku="Tea-1", kind="dislike", days=0, **columns):
        at = timezone.now() - dt.timedelta(days=days)
        rows = [
            Feedback.objects.create(shopper_id=shop.people[f"h{n}"], product=shop.products[sku], kind=kind, **columns)
            for n in numbers
        ]
        Feedback.objects.filter(pk__in=[row.pk for row in rows]).update(given_at=at)
        return Feedback.objects.filter(pk__in=[row.pk for row in rows])

    return say


@pytest.fixture
def showing(shop):
    """Has a list kept that shows some products."""

    def showing(*skus, shopper=None, at=None, reasons=()):
        items = [
            {"product": shop.products[sku].pk, "score": 1.0, "placed_by": "SCORE", "reasons": reasons} for sku in skus
        ]
        return Slate.objects.create(
            id=uuid.uuid4(), shopper_id=shopper, placement="home", rung="PERSONAL", items=items,
            served_at=at or timezone.now(),
        )  # fmt: skip

    return showing


def found(dimension):
    return {(each.name, each.kind): each for each in themes().themes[dimension]}


def test_a_theme_is_told_for_each_thing_that_complaints_share(shop, say):
    say(range(5), reason="POPULAR", recommender="content")
    say(range(5, 8), sku="Tea-4", reason="FEATURE", recommender="content")
    told = found("product")[("Tea 1", "dislike")]
    assert (told.n, told.shoppers, told.waiting) == (5, 5, 5)
    assert found("category")[("Shop > Tea", "dislike")].n == 8
    assert found("brand")[("B1", "dislike")].n == 8
    assert {key: each.n for key, each in found("reason").items()} == {("Popular", "dislike"): 5}
    assert found("recommender")[("Content-based", "dislike")].n == 8


@pytest.mark.parametrize("n", range(8))
def test_nothing_is_told_that_fewer_than_five_shoppers_stand_behind(shop, say, n):
    say(range(n), reason="POPULAR", recommender="content")
    say(range(n), kind="wrong_reason", sku="Soap-1")
    everything = themes()
    told = [theme for some in everything.themes.values() for theme in some]
    assert bool(told) == (n >= 5)
    assert everything.complaints == (2 * n if n >= 5 else 0)
    assert all(theme.shoppers >= 5 for theme in told)


def test_a_visitor_who_turned_out_to_be_an_account_is_one_shopper_with_it(shop, say):
    say(range(5))
    people = [shop.people[f"h{n}"] for n in range(5)]
    ShopperLink.objects.create(visitor_id=people[0], account_id=people[1])
    assert found("product") == {}


def test_who_does_not_allow_analytics_and_what_is_sensitive_count_nowhere(shop, say):
    say(range(6))
    Consent.objects.filter(shopper=shop.people["h0"], purpose="analytics").update(superseded_at=timezone.now())
    assert found("product")[("Tea 1", "dislike")].n == 5
    Category.objects.filter(name="Tea").update(sensitive=True)
    assert themes().complaints == 0
    assert not any(themes().themes.values())


def test_likes_and_what_is_old_are_no_complaints(shop, say):
    say(range(6), kind="like")
    say(range(6), days=40)
    assert themes().complaints == 0


def test_the_lift_sets_complaints_beside_how_often_it_is_shown(shop, say, showing):
    say(range(6), sku="Tea-1")
    say(range(6, 12), sku="Soap-1")
    for _ in range(5):
        showing("Tea-1", "Soap-1", "Soap-1", "Soap-1")
    told = found("product")
    assert told[("Tea 1", "dislike")].lift == pytest.approx(0.5 / 0.25)
    assert told[("Soap 1", "dislike")].lift == pytest.approx(0.5 / 0.75)
    assert [each.name for each in themes().themes["product"]] == ["Tea 1", "Soap 1"]


def test_a_theme_beside_reasons_and_recommenders_counts_the_foremost_of_each_place(shop, say, showing):
    say(range(5), reason="POPULAR", recommender="content")
    popular = [{"kind": "POPULAR", "points": 2.0, "source": "content", "evidence": []}]
    feature = [{"kind": "FEATURE", "points": 2.0, "source": "item_cf", "evidence": []}]
    for reasons in (popular, feature, feature, feature):
        showing("Tea-1", reasons=reasons)
    assert found("reason")[("Popular", "dislike")].lift == pytest.approx(1 / 0.25)
    assert found("recommender")[("Content-based", "dislike")].lift == pytest.approx(1 / 0.25)


def promoted(days_ago):
    """As if a version had gone live then that a run had made right before."""
    version = ModelVersion.objects.create(recommender_id="popularity", manifest_sha256="0", size=1, state="retired")
    Promotion.objects.create(
        version=version, went_live=True, decided_by="checks", decided_at=timezone.now() - dt.timedelta(days=days_ago)
    )


def lists(day_ago, n):
    AnswerCount.objects.create(
        day=(timezone.now() - dt.timedelta(days=day_ago)).date(), placement="home", arm="personal", recommender="",
        shoppers=30, lists=n, impressions=n, clicks=0, purchases=0,
    )  # fmt: skip


def test_before_and_after_are_told_per_thousand_lists_of_those_days(shop, say):
    accepted = say(range(8), days=20)
    accepted.update(review="accepted", reviewed_at=timezone.now() - dt.timedelta(days=15))
    say(range(10, 15), days=3)
    promoted(10)
    for day, n in ((20, 1500), (12, 500), (10, 9999), (5, 1000), (3, 3000)):
        lists(day, n)
    told = found("product")[("Tea 1", "dislike")]
    assert (told.before.n, told.before.per_thousand) == (8, 4.0)
    assert (told.after.n, told.after.per_thousand) == (5, 1.25)
    assert themes().learnt_at.date() == (timezone.now() - dt.timedelta(days=10)).date()


@pytest.mark.parametrize(("later", "n"), [(0, 0), (1, None), (4, None), (5, 5)])
def test_of_fewer_than_five_in_a_window_no_number_is_told(shop, say, later, n):
    say(range(8), days=20).update(review="accepted", reviewed_at=timezone.now() - dt.timedelta(days=15))
    say(range(10, 10 + later), days=3)
    promoted(10)
    lists(3, 1000)
    assert found("product")[("Tea 1", "dislike")].after.n == n


def test_a_version_that_went_live_before_anything_was_accepted_has_learnt_nothing(shop, say):
    promoted(10)
    say(range(8), days=20).update(review="accepted", reviewed_at=timezone.now() - dt.timedelta(days=5))
    told = themes()
    assert told.learnt_at is None
    assert told.themes["product"][0].before is None


def test_what_was_not_accepted_has_no_before_and_after(shop, say):
    say(range(8), sku="Soap-1", days=20).update(review="accepted", reviewed_at=timezone.now() - dt.timedelta(days=15))
    say(range(8), sku="Tea-1", days=20)
    promoted(10)
    told = found("product")
    assert told[("Soap 1", "dislike")].before is not None
    assert told[("Tea 1", "dislike")].before is None


def test_refused_products_that_are_shown_again_to_who_refused_them_are_counted(shop, say, showing):
    accepted = say(range(6), days=20)
    accepted.update(review="accepted", reviewed_at=timezone.now() - dt.timedelta(days=15))
    promoted(10)
    then = timezone.now() - dt.timedelta(days=1)
    showing("Tea-1", shopper=shop.people["h0"], at=then)
    showing("Tea-1", shopper=shop.people["h0"], at=then)
    showing("Soap-1", shopper=shop.people["h1"], at=then)
    showing("Tea-1", shopper=shop.people["h20"], at=then)
    showing("Tea-1", shopper=shop.people["h2"], at=timezone.now() - dt.timedelta(days=12))
    assert themes().shown_again == ShownAgain(pairs=6, again=1)


def test_after_a_real_training_no_refused_product_is_shown_again(trained, say, person):
    accepted = list(say(range(6), sku="Tea-1"))
    decide(seen={each.pk: each.mark for each in accepted}, act="accept", by=None)
    request_training(kind="popularity")
    assert run_next().state == "done"
    for each in accepted:
        recommend_for(shopper=Shopper.objects.get(pk=each.shopper_id), first=36)
    told = themes()
    assert told.learnt_at is not None
    assert told.shown_again == ShownAgain(pairs=6, again=0)


def test_of_more_feedback_than_is_looked_at_the_newest_counts(shop, say, monkeypatch):
    monkeypatch.setattr(module, "MOST", 6)
    say(range(6), sku="Soap-1", days=5)
    say(range(6), sku="Tea-1", days=1)
    assert set(found("product")) == {("Tea 1", "dislike"), ("Soap 1", "dislike")}
    say(range(6, 8), sku="Tea-1")
    assert [name for name, _kind in found("product")] == ["Tea 1"]


def test_the_page_tells_themes_first_as_charts_and_each_leads_to_its_queue(shop, say, staff):
    say(range(6), reason="POPULAR", recommender="content")
    reply = staff.get(f"{BASE}/themes/")
    page = reply.content.decode()
    assert page.index('<svg class="reco-bar"') < page.index("<table")
    for _name, told in reply.context["dimensions"]:
        for each in told:
            rows = staff.get(each["queue"]).context["rows"]
            assert len(rows) == each["theme"].n
    assert "No version has learnt from accepted feedback" in page


def test_without_a_theme_the_page_says_when_there_will_be_one(shop, say, staff):
    say(range(4))
    page = staff.get(f"{BASE}/themes/").content.decode()
    assert "A theme is told once 5 shoppers complain alike within 28 days" in page
    assert "Tea 1" not in page


def test_no_event_is_looked_at(shop, say, django_assert_max_num_queries):
    say(range(6), days=20).update(review="accepted", reviewed_at=timezone.now() - dt.timedelta(days=15))
    promoted(10)
    with django_assert_max_num_queries(16) as queries:
        themes()
    assert not any(Event._meta.db_table in each["sql"] for each in queries.captured_queries)
