"""What recommenders are made with, alone and inside the blend."""

from __future__ import annotations

from reco_engine.ranking import Blend
from shop_reco.recommendations import training
from shop_reco.recommendations.engine import part_settings
from shop_reco.recommendations.models import ModelVersion
from shop_reco.recommendations.services import request_training


def found(kind, **settings):
    versions = ModelVersion.objects.filter(recommender=kind, state="live")
    versions.update(figures={"settings": settings})


def test_a_part_of_the_blend_takes_what_its_live_version_found(trained):
    found("item_cf", n_targets=7)
    assert part_settings("item_cf") == {"min_support": 1, "n_targets": 7}


def test_what_the_host_set_is_kept_and_what_it_left_open_is_found(trained, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "RECOMMENDERS": {"content": {"base": None, "half_life": 9.0}}}
    found("content", base=0.3, half_life=100.0)
    assert part_settings("content") == {"min_support": 1, "base": 0.3, "half_life": 9.0}


def test_a_setting_that_an_update_took_away_is_passed_over(trained):
    found("user_cf", n_neighbours=50, shrinkage=10)
    assert part_settings("user_cf") == {"min_support": 1, "n_neighbours": 50}


def test_without_a_live_version_everything_is_open(shop):
    assert part_settings("item_cf") == {"min_support": 1}


def test_the_blend_is_learnt_of_parts_that_do_not_search_again(trained, monkeypatch):
    made = {}

    def spy(factories, *args, **kwargs):
        made.update({name: factory() for name, factory in factories.items()})
        return Blend.default(dict.fromkeys(factories, 1.0))

    found("item_cf", n_targets=7, activity=0.25)
    monkeypatch.setattr(training, "fit_blend", spy)
    request_training(kind="hybrid")
    assert training.run_next().state == "done"
    assert (made["item_cf"].n_targets, made["item_cf"].activity) == (7, 0.25)
    assert made["behaviour_mlp"].temperature is None
