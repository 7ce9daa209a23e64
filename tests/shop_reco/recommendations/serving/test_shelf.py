"""The catalogue in memory says what the database says, at every moment."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shop_reco.products.filters import ProductExclusion, ProductFilter, filtered
from shop_reco.products.models import Product
from shop_reco.products.selectors import catalogue_revision, showable
from shop_reco.products.services import ProductDraft, import_products, set_stock, set_visibility
from shop_reco.recommendations import serving
from shop_reco.recommendations.serving.memory import memory
from shop_reco.recommendations.serving.shelf import Shelf, Tags, microseconds
from tests.shop_reco.conftest import skus

HOUR = dt.timedelta(hours=1)
prices = st.decimals(-5, 40, places=3) | st.none() | st.just(Decimal("99999999999"))
slugs = st.sampled_from(["shop", "tea", "green", "soap", "nowhere"])
names = st.sampled_from(["B0", "B9", "b0"])
tags = st.sampled_from(["new", "New", " new", "", "\u6298\u6263", 'a"b', "1", "new" * 21, "new" * 22, '["new"]'])
attributes = (
    st.none()
    | tags
    | st.integers()
    | st.dictionaries(tags, tags, max_size=2)
    | st.lists(tags | st.integers(0, 3) | st.lists(tags, max_size=2), max_size=55)
)


def some(values):
    return st.lists(values, max_size=3).map(tuple)


drafts = st.builds(
    ProductDraft,
    sku=st.sampled_from(["Tea-1", "Tea-2", "Soap-1", "n1", "n2", "n3"]),
    title=st.just("thing"),
    category=st.sampled_from([(), ("Shop",), ("Shop", "Tea"), ("Shop", "Tea", "Green"), ("shop", "tea")]),
    brand=st.sampled_from(["", "B0", "B9"]),
    price=st.none() | st.decimals(0, 30, places=2),
    stock=st.sampled_from([None, 0, 3]),
    visible=st.booleans(),
    attributes=attributes.map(lambda tags: {"tags": tags}) | st.just({}),
)
filters = st.builds(
    ProductFilter,
    category=st.sampled_from([None, "shop", "tea", "green", "nowhere"]),
    brand=st.sampled_from([None, "B0", "B9", "b0"]),
    price_min=prices,
    price_max=prices,
    in_stock=st.sampled_from([None, True]),
    categories=some(slugs),
    brands=some(names),
    tags=some(tags),
    without=st.builds(ProductExclusion, categories=some(slugs), brands=some(names), tags=some(tags)),
)


def kept_up(shelf):
    return shelf.caught_up(catalogue_revision())[0]


def passing(shelf, narrowing):
    mask = shelf.open_at(microseconds(timezone.now()))[0] & shelf.passing(narrowing)
    return set(shelf.ids[mask].tolist())


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(drafts, max_size=6), narrowings=st.lists(filters, min_size=1, max_size=6))
def test_a_filter_of_the_shelf_is_that_of_the_database_whatever_changed(shop, changes, narrowings):
    shelf = Shelf.read(catalogue_revision())
    for draft in changes:
        import_products(drafts=[draft])
        shelf = kept_up(shelf)
    fresh = Shelf.read(catalogue_revision())
    for narrowing in narrowings:
        stored = set(filtered(queryset=showable(), filter=narrowing).values_list("pk", flat=True))
        assert passing(shelf, narrowing) == passing(fresh, narrowing) == stored


@pytest.mark.parametrize(
    "narrowing",
    [
        ProductFilter(tags=("new",)),
        ProductFilter(tags=("NEW", "1", "")),
        ProductFilter(without=ProductExclusion(tags=("new",))),
        ProductFilter(without=ProductExclusion(brands=("B0", "B1", "B9"))),
        ProductFilter(without=ProductExclusion(categories=("tea", "soap"))),
        ProductFilter(categories=("tea", "soap"), brands=("B0", "B1"), tags=("new", "late")),
    ],
)
def test_a_shelf_and_the_database_agree_on_odd_tags(shop, narrowing):
    odd = ["new", '["new"]', {"new": "new"}, [["new"], 1], ["NEW", 1], [*range(49), "new"], [*range(50), "new"], None]
    for sku, written in zip(shop.products, odd, strict=False):
        Product.objects.filter(sku=sku).update(attributes={"tags": written})
    Product.objects.filter(sku="Soap-3").update(brand=None, category=None)
    stored = set(filtered(queryset=showable(), filter=narrowing).values_list("pk", flat=True))
    assert passing(Shelf.read(catalogue_revision()), narrowing) == stored


def test_a_window_opens_and_closes_at_its_moment_with_no_change_of_the_catalogue(trained, person, monkeypatch):
    now = timezone.now()
    Product.objects.filter(sku="Tea-1").update(available_from=now + HOUR)
    Product.objects.filter(sku="Tea-2").update(available_until=now + 2 * HOUR)

    def shown_at(moment):
        monkeypatch.setattr(timezone, "now", lambda: moment)
        popular = set(skus(serving.recommend_for(shopper=None, placement="popular", first=36)))
        return "Tea-1" in popular, "Tea-2" in popular

    assert shown_at(now) == (False, True)
    assert shown_at(now + HOUR - dt.timedelta(microseconds=1)) == (False, True)
    assert shown_at(now + HOUR) == (True, True)
    assert shown_at(now + 2 * HOUR) == (True, False)
    assert shown_at(now) == (False, True)  # a clock that steps back


@pytest.mark.parametrize("narrowing", [ProductFilter(category="tea"), ProductFilter(price_min=Decimal("9.995"))])
def test_a_filtered_list_is_the_whole_one_less_what_does_not_pass(trained, person, narrowing):
    whole = serving.recommend_for(shopper=person, first=36).edges
    narrowed = serving.recommend_for(shopper=person, first=36, filter=narrowing).edges
    stored = set(filtered(queryset=showable(), filter=narrowing).values_list("sku", flat=True))
    passing = [e for e in whole if e.placed_by == "SCORE" and e.product.sku in stored]
    assert [e.product for e in narrowed if e.placed_by == "SCORE"] == [e.product for e in passing]
    scored = [e.score for e in narrowed if e.placed_by == "SCORE"]
    assert scored == pytest.approx([e.score for e in passing], rel=1e-12)
    assert len(scored) >= 5


def test_a_list_is_full_though_more_was_sold_than_was_spare(trained, person):
    memory.view()
    gone = [edge.product for edge in serving.recommend_for(shopper=person, first=20).edges][:12]
    Product.objects.filter(pk__in=[product.pk for product in gone]).update(stock=0)  # behind the shelf's back
    served = serving.recommend_for(shopper=person, first=10)
    assert len(served.edges) == 10
    assert not {edge.product.pk for edge in served.edges} & {product.pk for product in gone}
    assert {edge.placed_by for edge in served.edges} == {"SCORE"}


def test_what_is_hidden_or_sold_out_leaves_every_process_at_once(trained, person):
    first, second = [edge.product for edge in serving.recommend_for(shopper=person, first=2).edges]
    set_visibility(products=[first], visible=False)
    set_stock(product=second, stock=0)
    assert not {first.sku, second.sku} & set(skus(serving.recommend_for(shopper=person, first=36)))
    set_stock(product=second, stock=1)
    assert second.sku in skus(serving.recommend_for(shopper=person, first=36))


def test_tags_are_what_the_shop_lists_and_nothing_else(shop):
    written = [["Sale", " sale ", "New\u00c9"], "Sale", {"Sale": 1}, [1, None, "", "x" * 65], None]
    for sku, tags in zip(["Tea-1", "Tea-2", "Tea-3", "Tea-4", "Tea-5"], written, strict=True):
        Product.objects.filter(sku=sku).update(attributes={"tags": tags} if tags is not None else {})
    tags = Shelf.read(catalogue_revision()).tags
    assert tags.of_name("SALE").tolist() == [shop.products["Tea-1"].pk]
    assert tags.any_of(["Sale"]).tolist() == [shop.products["Tea-1"].pk]
    assert tags.any_of(["SALE"]).tolist() == []
    assert set(tags.names) == {"Sale", " sale ", "New\u00c9"}


def test_tags_that_nothing_has_any_more_are_forgotten(shop):
    pk = shop.products["Tea-1"].pk

    def row(tag):
        return [type("Row", (), {"pk": pk, "tags": [tag]})]

    tags = Tags.of(row("first"))
    for n in range(3000):
        tags = tags.with_(Tags.of(row(f"t{n}")), tags.items)
    assert tags.of_name("t2999").tolist() == [pk]
    assert len(tags.names) <= 1002
