"""A list is full, gives its reasons, and follows what its shopper does and allows."""

from __future__ import annotations

import math

import pytest

from shop_reco.events.models import Event
from shop_reco.events.services import track
from shop_reco.recommendations import serving
from shop_reco.recommendations.errors import BadCursorError
from shop_reco.users.services import decide_consent
from tests.shop_reco.conftest import skus


def test_a_list_is_full_and_each_item_says_why(trained, person):
    served = serving.recommend_for(shopper=person, first=10)
    assert served.rung == "PERSONAL"
    assert len(served.edges) == 10
    for edge in served.edges:
        assert math.fsum(reason.points for reason in edge.reasons) == pytest.approx(edge.score, rel=1e-6)


def test_what_was_bought_is_not_on_the_discovery_list_and_is_on_the_other(trained, person):
    bought = set(Event.objects.filter(shopper=person).values_list("product__sku", flat=True))
    assert not bought & set(skus(serving.recommend_for(shopper=person, first=20)))
    assert set(skus(serving.buy_again_for(shopper=person, first=20))) == bought


def test_views_change_the_next_list_with_no_training(trained, person):
    before = skus(serving.recommend_for(shopper=person, first=10))
    for n in range(3):
        track(shopper=person, type="view_item", product=trained.products[f"Soap-{n}"])
    assert skus(serving.recommend_for(shopper=person, first=10)) != before


def test_pages_neither_repeat_nor_skip(trained, person):
    whole = skus(serving.recommend_for(shopper=person, first=12))
    first = serving.recommend_for(shopper=person, first=6)
    second = serving.recommend_for(shopper=person, first=6, after=first.edges[-1].cursor)
    assert skus(first) + skus(second) == whole
    assert [edge.rank for edge in second.edges] == list(range(7, 13))


def test_withdrawing_consent_makes_the_very_next_list_impersonal(trained, person):
    decide_consent(shopper=person, decisions={"personalisation": False}, source="test")
    served = serving.recommend_for(shopper=person, first=10)
    assert not served.personalised
    assert served.rung == "POPULAR"


def test_with_no_model_the_newest_products_are_shown(shop, person):
    served = serving.recommend_for(shopper=person, first=10)
    assert served.rung == "NEWEST"
    assert len(served.edges) == 10


def test_a_cursor_that_no_answer_gave_is_refused(trained, person):
    cursor = serving.recommend_for(shopper=person, first=3).edges[-1].cursor
    slate = cursor.partition(":")[0]
    for rank in ("0", "-1", "4", "1_0", "\u0663", "9" * 30):
        with pytest.raises(BadCursorError):
            serving.recommend_for(shopper=person, first=3, after=f"{slate}:{rank}")


def test_a_product_is_never_told_to_be_like_itself(trained, person):
    track(shopper=person, type="view_item", product=trained.products["Soap-1"])
    for edge in serving.recommend_for(shopper=person, first=30).edges:
        for reason in edge.reasons:
            assert edge.product not in reason.evidence
