"""A recommender is switched where staff see it."""

from __future__ import annotations

from shop_reco.recommendations import serving
from shop_reco.recommendations.models import Recommender


def test_a_toggle_in_the_admin_counts_at_the_next_request(trained, staff, person):
    staff.post(
        "/admin/reco_recommendations/recommender/",
        {"action": "switch_off", "_selected_action": ["user_cf"]},
    )
    assert not Recommender.objects.get(kind="user_cf").enabled
    kinds = {r.kind for edge in serving.recommend_for(shopper=person, first=10).edges for r in edge.reasons}
    assert "SIMILAR_SHOPPERS" not in kinds
