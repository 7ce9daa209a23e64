"""Groups are found at night among those who allow it, and told in words; with too few, rules tell."""

from __future__ import annotations

from django.utils import translation

from shop_reco.events.models import Event
from shop_reco.portraits.models import Portrait, Segmentation
from shop_reco.portraits.reading import portrait_of
from shop_reco.portraits.segmenting import fit_segments, named
from shop_reco.portraits.services import refresh_dirty, refresh_portrait
from shop_reco.portraits.tasks import fit_segments as nightly
from shop_reco.products.models import Category, Product
from shop_reco.products.services import set_sensitive
from shop_reco.users.services import create_visitor, decide_consent, link_visitor

from .conftest import view


def test_with_few_shoppers_segments_go_by_rules(shop, person):
    refresh_dirty()
    assert fit_segments() is None
    assert portrait_of(shopper=person, now=shop.now).segment == "regular"


def test_groups_have_names_sizes_and_tastes_and_shoppers_find_themselves_in_one(shop, two_kinds):
    made = fit_segments()
    assert made.n_shoppers == 30
    assert sorted(made.content["sizes"]) == [15, 15]
    assert sorted(made.content["tastes"]) == [[["Shop > Soap", 15]], [["Shop > Tea", 15]]]
    names = {portrait_of(shopper=each, now=shop.now).segment_name for each in two_kinds[:15]}
    others = {portrait_of(shopper=each, now=shop.now).segment_name for each in two_kinds[15:]}
    assert len(names) == len(others) == 1
    assert names != others


def test_what_is_typical_of_a_group_is_counted_with_it(shop, looking):
    content = fit_segments().content
    tea, soap = (shop.products[sku].pk for sku in ("Tea-1", "Soap-1"))
    # half of what a group took to, and with five for the rest who took to none a third of the shop's
    assert sorted((each["products"], each["categories"]) for each in content["typical"]) == sorted(
        [([[tea, 15, 1.5]], [["Shop > Tea", 15, 1.5]]), ([[soap, 15, 1.5]], [["Shop > Soap", 15, 1.5]])]
    )
    assert (content["shoppers"], content["days"]) == (30, 90)


def test_a_variant_counts_for_the_product_that_lists_show(shop, looking):
    Product.objects.filter(pk=shop.products["Soap-1"].pk).update(parent=shop.products["Soap-2"])
    told = [key for each in fit_segments().content["typical"] for key, _n, _lift in each["products"]]
    assert sorted(told) == sorted([shop.products["Tea-1"].pk, shop.products["Soap-2"].pk])


def test_what_a_visitor_did_counts_once_and_for_the_account_that_they_are(shop, looking):
    soap = shop.products["Soap-1"]
    for each in looking[20:]:
        visitor = create_visitor()
        decide_consent(shopper=visitor, decisions={"personalisation": True, "analytics": True}, source="test")
        view(shop, visitor, soap)
        link_visitor(visitor=visitor, account=each)
    Event.objects.filter(shopper__in=looking[25:], product=soap, type="view_item").delete()
    told = [row for each in fit_segments().content["typical"] for row in each["products"] if row[0] == soap.pk]
    assert [n for _key, n, _lift in told] == [15]


def test_nothing_of_a_sensitive_category_is_typical(shop, looking):
    set_sensitive(categories=Category.objects.filter(name="Soap"), sensitive=True)
    typical = fit_segments().content["typical"]
    assert [key for each in typical for key, _n, _lift in each["categories"]] == ["Shop > Cheese"]
    assert [key for each in typical for key, _n, _lift in each["products"]] == [shop.products["Cheese-1"].pk]


def test_what_is_typical_rests_on_those_alone_who_allow_analytics(shop, looking):
    for each in looking[:3]:
        decide_consent(shopper=each, decisions={"analytics": False}, source="test")
    told = [row for each in fit_segments().content["typical"] for row in each["products"]]
    assert {key: n for key, n, _lift in told} == {shop.products["Tea-1"].pk: 12, shop.products["Soap-1"].pk: 15}


def test_the_same_shoppers_give_the_same_groups(shop, two_kinds):
    assert fit_segments().content == fit_segments().content
    assert Segmentation.objects.filter(live=True).count() == 1


def test_only_those_who_allow_analytics_are_counted(shop, two_kinds):
    for each in two_kinds[:11]:
        decide_consent(shopper=each, decisions={"analytics": False}, source="test")
    assert nightly() == 0  # 19 are left, and 20 are needed
    assert not Segmentation.objects.filter(live=True).exists()


def test_a_newcomer_is_new_whatever_groups_there_are(shop, two_kinds):
    fit_segments()
    newcomer = two_kinds[0]
    Event.objects.filter(shopper=newcomer).delete()
    refresh_portrait(shopper_id=newcomer.pk)
    assert portrait_of(shopper=newcomer, now=shop.now).segment == "new"
    assert Portrait.objects.get(shopper=newcomer).summary["orders"] == 0


def test_names_read_well():
    assert named(["big_baskets", "lately"]) == "Big baskets, bought lately"
    with translation.override("en"):
        assert named(["typical"]) == "Much like most"
