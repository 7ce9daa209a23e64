"""Groups are found at night among those who allow it, and told in words; with too few, rules tell."""

from __future__ import annotations

from django.utils import translation

from shop_reco.events.models import Event
from shop_reco.portraits.models import Portrait, Segmentation
from shop_reco.portraits.reading import portrait_of
from shop_reco.portraits.segmenting import fit_segments, named
from shop_reco.portraits.services import refresh_dirty, refresh_portrait
from shop_reco.portraits.tasks import fit_segments as nightly
from shop_reco.users.services import decide_consent


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
