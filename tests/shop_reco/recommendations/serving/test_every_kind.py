"""With every kind live, networks and the learned blend among them, lists come as they should."""

from __future__ import annotations

import math

from reco_engine.ranking import Hybrid
from reco_engine.recommenders.registry import BUILT_IN
from shop_reco.recommendations.models import ModelVersion, Slate
from shop_reco.recommendations.services import request_training
from shop_reco.recommendations.serving import bought_together, buy_again_for, explain, recommend_for, similar_to
from shop_reco.recommendations.serving.replay import Outcome, replay
from shop_reco.recommendations.training import work_off

SMALL = {"n_hidden": 4, "n_epochs": 1}


def test_lists_follow_from_all_of_them_and_are_the_same_again(shop, person, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "RECOMMENDERS": {"behaviour_mlp": SMALL, "content_mlp": SMALL}}
    for kind in (*BUILT_IN, Hybrid.name):
        request_training(kind=kind)
    work_off()
    assert ModelVersion.objects.filter(state="live").count() == len(BUILT_IN) + 1
    served = recommend_for(shopper=person, first=8)
    assert (served.rung, len(served.edges)) == ("PERSONAL", 8)
    for edge in served.edges:
        assert math.isclose(math.fsum(reason.points for reason in edge.reasons), edge.score, abs_tol=1e-6)
    slate = Slate.objects.get(pk=served.slate_id)
    assert Hybrid.name in slate.versions
    assert replay(slate).outcome == Outcome.EQUAL
    assert explain(shopper=person, slate_id=slate.pk, product=served.edges[0].product).terms
    some = shop.products["Tea-1"]
    assert similar_to(shopper=person, product=some, first=4).edges
    assert bought_together(shopper=person, products=[some], first=4).edges
    assert buy_again_for(shopper=person, first=4).rung in ("PERSONAL", "NEWEST")
