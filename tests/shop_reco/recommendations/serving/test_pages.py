"""Pages of one list: nothing twice, and nothing passed over, whatever happens between them."""

from __future__ import annotations

from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shop_reco.events.services import track
from shop_reco.products.filters import ProductFilter
from shop_reco.products.services import set_stock, set_visibility
from shop_reco.recommendations import serving
from shop_reco.recommendations.models import Placement, Recommender, Rule
from shop_reco.recommendations.services import bump_serving_revision, give_feedback, set_enabled
from shop_reco.recommendations.serving.memory import memory
from tests.shop_reco.conftest import skus

names = [f"{shelf}-{n}" for shelf in ("Tea", "Cheese", "Soap") for n in range(12)]
changes = st.one_of(
    st.tuples(st.sampled_from(["view", "hide", "show", "sell", "restock", "refuse", "lift"]), st.sampled_from(names)),
    st.tuples(st.just("toggle"), st.sampled_from(["item_cf", "user_cf", "content", "popularity"])),
    st.tuples(st.just("pin"), st.sampled_from(names)),
)


def happens(what, name, shop, person):
    """Something changes; returns products that must be missing from some moment on."""
    product = shop.products.get(name)
    match what:
        case "view":
            track(shopper=person, type="view_item", product=product)
        case "hide" | "show":
            set_visibility(products=[product], visible=what == "show")
        case "sell" | "restock":
            set_stock(product=product, stock=0 if what == "sell" else 9)
        case "refuse":
            give_feedback(shopper=person, product=product, kind="not_interested")
        case "lift":
            Rule.objects.create(action="boost", product=product, points=0.3)
        case "pin":
            Rule.objects.create(action="pin", product=product, rank=1 + len(name))
        case "toggle":
            set_enabled(kind=name, enabled=not Recommender.objects.get(kind=name).enabled)
    return {name} if what in ("hide", "sell", "refuse") else set()


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(1, 9), st.lists(changes, max_size=3)), min_size=1, max_size=5))
def test_pages_never_repeat_and_end_only_when_all_was_shown(trained, person, steps):
    memory.forget()  # of revisions that were rolled back
    with transaction.atomic():
        shown, missing, after = [], set(), None
        for turn in range(60):
            first, between = steps[turn % len(steps)]
            page = serving.recommend_for(shopper=person, first=first, after=after)
            assert [edge.rank for edge in page.edges] == list(range(len(shown) + 1, len(shown) + len(page.edges) + 1))
            shown += skus(page)
            if not page.has_next_page:
                break
            assert page.edges
            after = page.edges[-1].cursor
            for what, name in between if turn < len(steps) else []:
                missing |= happens(what, name, trained, person)
        assert not page.has_next_page
        assert len(shown) == len(set(shown))
        bought = set(skus(serving.buy_again_for(shopper=person, first=36)))
        assert set(shown) >= set(names) - bought - missing
        transaction.set_rollback(True)


def test_what_is_pinned_to_a_later_page_waits_for_it_and_pages_are_the_whole_list(trained, person):
    best = serving.recommend_for(shopper=person, first=1).edges[0].product
    Rule.objects.create(action="pin", product=best, rank=8)
    whole = skus(serving.recommend_for(shopper=person, first=12))
    first = serving.recommend_for(shopper=person, first=6)
    second = serving.recommend_for(shopper=person, first=6, after=first.edges[-1].cursor)
    assert whole[7] == best.sku
    assert skus(first) + skus(second) == whole


def test_a_pin_beyond_the_end_comes_last_and_one_that_does_not_pass_the_filter_never(trained, person):
    best = serving.recommend_for(shopper=person, first=1).edges[0].product
    Rule.objects.create(action="pin", product=best, rank=90)
    Rule.objects.create(action="pin", product=trained.products["Soap-1"], rank=1)
    only = ProductFilter(category=best.category.slug)
    served = serving.recommend_for(shopper=person, first=36, filter=only)
    assert best.sku in skus(served)
    assert "Soap-1" not in skus(served) or best.category.slug == "soap"


def test_a_page_is_as_long_as_the_placement_says_with_exploration_too(trained, person):
    Placement.objects.filter(key="home").update(exploration=0.5)
    bump_serving_revision()
    shown, after = [], None
    for _ in range(20):
        page = serving.recommend_for(shopper=person, first=5, after=after)
        shown += skus(page)
        if not page.has_next_page:
            break
        after = page.edges[-1].cursor
    assert len(shown) == len(set(shown))
    whole = set(names) - set(skus(serving.buy_again_for(shopper=person, first=36)))
    assert set(shown) == whole
