"""Whoever reads Simplified Chinese reads it everywhere: labels, codes with a name, and the pages that show them."""

from __future__ import annotations

import re

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db.models import Field
from django.utils import translation

from shop_reco.admin_site import admin_site
from shop_reco.conf import APPS
from shop_reco.events.models import Event
from shop_reco.portraits.models import Portrait
from shop_reco.portraits.services import refresh_dirty
from shop_reco.recommendations.models import ModelVersion, Recommender, Slate
from shop_reco.recommendations.serving import recommend_for

CHINESE = re.compile("[\u4e00-\u9fff]")
SAME_IN_BOTH = {"API", "ID", "SHA-256", "SKU", "Shopify", "Webhook", "WooCommerce"}
OURS = [config for config in apps.get_app_configs() if config.name in APPS]
MODELS = [model for config in OURS for model in config.get_models()]


@pytest.fixture
def chinese():
    with translation.override("zh-hans"):
        yield


def untranslated(labels):
    return [label for label in map(str, labels) if label not in SAME_IN_BOTH and not CHINESE.search(label)]


def test_apps_models_and_the_fields_that_staff_see_have_chinese_labels(chinese):
    labels = [config.verbose_name for config in OURS]
    for model in MODELS:
        labels += [model._meta.verbose_name, model._meta.verbose_name_plural]
        if model in admin_site._registry:
            fields = [field for field in model._meta.get_fields() if isinstance(field, Field)]
            labels += [field.verbose_name for field in fields if not field.auto_created]
    assert untranslated(labels) == []


def test_every_choice_has_a_chinese_name(chinese):
    fields = [field for model in MODELS for field in model._meta.get_fields() if getattr(field, "choices", None)]
    labels = [label for field in fields for _value, label in field.choices]
    labels += [*Portrait.Segment.labels, *Slate.ReasonKind.labels]
    assert untranslated(labels) == []


def test_live_selling_and_a_live_version_are_two_words(chinese):
    assert Event.Channel.LIVE.label == "直播"
    assert ModelVersion.State.LIVE.label == "已上线"


def test_a_recommender_that_is_not_known_names_itself():
    assert str(Recommender(kind="item_cf")) == "Item-based CF"
    assert str(Recommender(kind="tarot")) == "tarot"


def test_a_shoppers_portrait_page_names_segment_and_purposes(shop, client, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "DEMO_SWITCHER": True}
    refresh_dirty()
    client.post("/shop-as/", {"household": "h0"})
    page = client.get("/portrait/", headers={"Accept-Language": "zh-hans"}).content.decode()
    assert "分组: <b>常客</b>" in page
    assert "> 个性化</label>" in page


def test_the_admin_names_segments_channels_rungs_reasons_and_figures(trained, person, client):
    client.force_login(User.objects.create_superuser("staff"))
    refresh_dirty()
    served = recommend_for(shopper=person, first=3)
    version = ModelVersion.objects.get(recommender="item_cf")
    told = {
        f"reco_portraits/portrait/{person.pk}": ["常客", "网页"],
        f"reco_recommendations/slate/{served.slate_id}": ["个性化推荐", "相似顾客", "基于物品的协同过滤"],
        f"reco_recommendations/modelversion/{version.pk}": ["交互数", "已上线"],
    }
    client.post(f"/admin/reco_portraits/portrait/{person.pk}/change/", {"why": "to read it"})
    for path, words in told.items():
        page = client.get(f"/admin/{path}/change/", headers={"Accept-Language": "zh-hans"}).content.decode()
        assert [word for word in words if word not in page] == []
