"""What a reason says."""

from __future__ import annotations

import pytest
from django.utils import translation

from reco_engine.types import Reason
from shop_reco.recommendations import serving
from shop_reco.recommendations.services import set_enabled
from shop_reco.recommendations.serving.texts import told

RISE = Reason("popular", 1.0, source="trending")


@pytest.mark.parametrize(
    ("language", "text"), [("en", "More and more shoppers try it"), ("zh-hans", "越来越多的顾客开始尝试")]
)
def test_a_rise_is_told_as_one(language, text):
    with translation.override(language):
        assert told(RISE, 1, {}).text == text


def test_what_is_popular_for_other_reasons_too_is_popular():
    assert told(Reason("popular", 1.0, source="content"), 1, {}).text == "Popular now"


def test_a_list_of_what_rises_says_so(trained, person):
    for kind in ("popularity", "item_cf", "user_cf", "content"):
        set_enabled(kind=kind, enabled=False)
    served = serving.recommend_for(shopper=person, first=5)
    reasons = {(reason.kind, reason.text) for edge in served.edges for reason in edge.reasons}
    assert reasons == {("POPULAR", "More and more shoppers try it")}
    assert [edge.score for edge in served.edges] == sorted((edge.score for edge in served.edges), reverse=True)
