"""A product is called in the language of the request, and by the shop's own name for want of one."""

from __future__ import annotations

import pytest
from django.utils import translation

from shop_reco.products import selectors
from shop_reco.products.selectors import final_rows, product_by_sku, search_products
from shop_reco.products.services import ProductDraft, TranslationDraft, upsert_products
from shop_reco.recommendations.serving import recommend_for
from tests.shop_reco.graphql import ask

LIST = "{ recommendations(first: 36) { edges { node { sku title description } reasons { text } } } }"


@pytest.fixture
def translated(trained):
    rows = [
        ProductDraft(
            sku=f"Tea-{n}", title=f"Tea {n}", category=("Shop", "Tea"), description="plain",
            translations={"zh": TranslationDraft(title=f"茶 {n}", description="很香", keywords="龙井")},
        )
        for n in range(12)
    ]  # fmt: skip
    upsert_products(rows=rows)
    return trained


def test_a_list_is_in_the_language_of_the_request(translated, client):
    def titles(language):
        edges = ask(client, LIST, **{"Accept-Language": language})["data"]["recommendations"]["edges"]
        return {edge["node"]["sku"]: edge["node"]["title"] for edge in edges}

    assert titles("zh-hans")["Tea-1"] == "茶 1"
    assert titles("zh-hans")["Soap-1"] == "Soap 1"
    assert titles("en")["Tea-1"] == "Tea 1"


def test_a_reason_names_its_evidence_in_the_language_of_the_request(translated, person):
    with translation.override("zh-hans"):
        texts = [reason.text for edge in recommend_for(shopper=person, first=36).edges for reason in edge.reasons]
    assert any("茶" in text for text in texts)
    assert not any("Tea" in text for text in texts)


def test_the_closest_translation_is_taken(db):
    told = {name: TranslationDraft(title=name) for name in ("zh", "zh-cn", "zh-tw", "de")}
    upsert_products(rows=[ProductDraft(sku="tea", title="Tea", translations=told)])
    for language, title in (("zh-hans", "zh-cn"), ("zh-hant", "zh-tw"), ("de-at", "de"), ("fr", "Tea")):
        with translation.override(language):
            assert product_by_sku(sku="tea").told_title == title


def test_the_search_finds_titles_and_keywords_of_every_language_once(translated):
    assert {each.sku for each in search_products(text="茶 11")} == {"Tea-11"}
    assert len(search_products(text="龙井")) == 12


def test_languages_share_a_query_that_is_put_together_once(translated):
    keys = {translated.products["Tea-1"].pk}
    titles, put_together = [], set()
    for language in ("en", "zh-hans", "zh", "fr", "de-at"):
        with translation.override(language):
            titles.append(final_rows(ids=keys)[min(keys)].told_title)
        put_together.add(len(vars(selectors._final_rows._own)["queries"]))
    assert len(put_together) == 1
    assert titles == ["Tea 1", "茶 1", "茶 1", "Tea 1", "Tea 1"]


def test_a_translation_costs_no_query_more(translated, person, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def cost(language):
        with (
            translation.override(language),
            CaptureQueriesContext(
                connection,
            ) as queries,
        ):
            [edge.product.told_title for edge in recommend_for(shopper=person, first=12).edges]
        return len(queries)

    cost("en")
    assert cost("zh-hans") == cost("en")
