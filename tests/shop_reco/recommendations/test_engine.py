"""What recommenders are made with."""

from __future__ import annotations

from shop_reco.recommendations.engine import recommender_settings


def test_the_shops_smallest_group_is_the_least_that_a_recommender_asks_for(settings, db):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "MIN_SUPPORT": 7}
    assert recommender_settings("item_cf") == {"min_support": 7}


def test_what_the_host_set_goes_first(settings, db):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "RECOMMENDERS": {"item_cf": {"n_targets": 9}}}
    assert recommender_settings("item_cf") == {"min_support": 1, "n_targets": 9}
