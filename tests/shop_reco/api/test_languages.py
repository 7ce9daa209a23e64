"""An answer is in the language that is asked for, all of it, whatever the language of the request."""

from __future__ import annotations

import json
import re
import sys
from types import ModuleType

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path
from django.utils import translation

from shop_reco.api.errors import ApiError
from shop_reco.api.languages import language_of, spoken
from shop_reco.products.services import ProductDraft, TranslationDraft, upsert_products
from shop_reco.users.services import issue_key
from tests.shop_reco.graphql import ask

LIST = "edges { node { sku title description } reasons { text evidence { sku title description } } }"


@pytest.fixture
def asks(trained, client):
    told = {"zh": ("茶", "很香"), "de": ("Tee", "duftet")}
    upsert_products(
        rows=[
            ProductDraft(
                sku=f"Tea-{n}", title=f"Tea {n}", category=("Shop", "Tea"), description="smells", brand=f"B{n % 3}",
                translations={
                    code: TranslationDraft(title=f"{title} {n}", description=text)
                    for code, (title, text) in told.items()
                },
            )
            for n in range(12)
        ]
    )  # fmt: skip
    key = issue_key(name="server", scopes=["lists:read"])[1]

    def of(document, variables=None, language="en"):
        headers = {"Authorization": f"Bearer {key}", "X-Shopper": "h0", "Accept-Language": language}
        return ask(client, document, variables, **headers)

    return of


def words(told):
    """All titles and descriptions of tea in a list, and all texts of its reasons."""
    products = [edge["node"] for edge in told["edges"]]
    products += [each for edge in told["edges"] for reason in edge["reasons"] for each in reason["evidence"]]
    tea = [each for each in products if each["sku"].startswith("Tea")]
    titles = {each["title"].partition(" ")[0] for each in tea}
    texts = " ".join(reason["text"] for edge in told["edges"] for reason in edge["reasons"])
    return titles, {each["description"] for each in tea}, texts


@pytest.mark.parametrize("request_language", ["en", "zh-hans"])
def test_a_list_is_in_the_language_asked_for_down_to_its_evidence(asks, request_language):
    document = "query($c: RecommendationContext) { recommendations(first: 36, context: $c) { " + LIST + " } }"

    def told(locale):
        return words(asks(document, {"c": {"locale": locale}}, request_language)["data"]["recommendations"])

    titles, descriptions, texts = told("zh-hans")
    assert (titles, descriptions) == ({"茶"}, {"很香"})
    assert "茶" in texts
    assert "Tea" not in texts
    assert "Often chosen with" not in texts
    titles, descriptions, texts = told("en")
    assert (titles, descriptions) == ({"Tea"}, {"smells"})
    assert "Often chosen with Tea" in texts
    assert told("de")[:2] == ({"Tee"}, {"duftet"})
    assert told(None) == told(request_language)


def test_the_lists_of_a_page_may_each_be_in_another_language(asks):
    document = "query($r: [RecommendationRequest!]!) { recommendationsFor(requests: $r) { " + LIST + " } }"
    wanted = [
        {"first": 2, "filter": {"category": "tea"}, "context": {"locale": locale}} for locale in ("zh_Hans", None, "de")
    ]
    lists = asks(document, {"r": wanted})["data"]["recommendationsFor"]
    assert [words(each)[0] for each in lists] == [{"茶"}, {"Tea"}, {"Tee"}]


def test_products_are_in_the_language_asked_for_side_by_side(asks):
    document = """{
      zh: products(search: "Tea 11", locale: "zh-CN") { edges { node { title description } } }
      de: products(search: "茶 11", locale: "de") { edges { node { title description } } }
      en: products(search: "Tea 11", locale: "en") { edges { node { title description } } }
      mine: products(search: "Tea 11") { edges { node { title description } } }
      one: product(sku: "Tea-11", locale: "de") { title description }
      other: product(sku: "Soap-1", locale: "de") { title }
      same: product(sku: "Tea-11") { title description }
    }"""
    told = asks(document, language="zh-hans")["data"]
    chinese, german = {"title": "茶 11", "description": "很香"}, {"title": "Tee 11", "description": "duftet"}
    pages = {name: told[name]["edges"][0]["node"] for name in ("zh", "de", "en", "mine")}
    assert pages == {
        "zh": chinese, "de": german, "en": {"title": "Tea 11", "description": "smells"}, "mine": chinese,
    }  # fmt: skip
    assert (told["one"], told["other"], told["same"]) == (german, {"title": "Soap 1"}, chinese)


def test_an_address_that_differs_by_language_is_that_of_the_language_asked_for(asks, settings, monkeypatch):
    urls = ModuleType("urls_by_language")
    shop = i18n_patterns(path("shop/", include("shop_reco.storefront.urls")))
    urls.urlpatterns = [path("graphql/", include("shop_reco.api.urls")), *shop]
    monkeypatch.setitem(sys.modules, urls.__name__, urls)
    settings.ROOT_URLCONF = urls.__name__
    document = """{
      product(sku: "Tea-1", locale: "zh-hans") { url }
      products(first: 2, locale: "zh-hans") { edges { node { url } } }
      recommendations(first: 3, context: {locale: "zh-hans"}) {
        edges { node { url } reasons { evidence { url } } }
      }
      recommendationsFor(requests: [{first: 3, context: {locale: "zh-hans"}}]) {
        edges { node { url } reasons { evidence { url } } }
      }
    }"""
    told = asks(document)["data"]
    addresses = re.findall(r'"url": "([^"]*)"', json.dumps(told))
    assert len(addresses) > 9
    assert {address.split("/")[1] for address in addresses} == {"zh-hans"}
    (address,) = re.findall(r'"url": "([^"]*)"', json.dumps(asks('{ product(sku: "Tea-1") { url } }')))
    assert address.split("/")[1] == "en"


@pytest.mark.parametrize("locale", ["", "xx", "klingon", "../de", "de\0", "\ud800", "zh-hans;q=1", "x" * 5000, "*"])
@pytest.mark.parametrize(
    "query",
    [
        "products(locale: $l) { edges { cursor } }",
        'product(sku: "Tea-1", locale: $l) { title }',
        "recommendations(context: {locale: $l}) { rung }",
        "recommendationsFor(requests: [{context: {locale: $l}}]) { rung }",
    ],
)
def test_what_is_no_language_is_refused_with_what_to_do(shop, client, query, locale):
    (error,) = ask(client, "query($l: String) { " + query + " }", {"l": locale})["errors"]
    assert error["extensions"]["code"] == "BAD_VALUE"
    assert error["message"] == "locale must name a language, as in en, zh-hans; leave it out for the request's own"


def test_a_language_is_one_of_the_settings_else_one_that_django_knows(settings):
    settings.LANGUAGES = [("en", "English"), ("zh-hans", "Chinese"), ("tlh", "Klingon"), ("de-AT", "Austrian")]
    names = ["EN", "en-gb", "en_us", "zh-cn", "zh-tw", "zh_Hans", "tlh", "de-at", "de-ch", "fr", "pt-BR"]
    assert [language_of(name) for name in names] == [
        "en", "en-gb", "en", "zh-hans", "zh-hant", "zh-hans", "tlh", "de-at", "de", "fr", "pt-br",
    ]  # fmt: skip


def test_languages_are_a_bounded_number(settings):
    made = {language_of(f"de-{n}") for n in range(500)}
    assert made == {"de"}
    with pytest.raises(ApiError):
        language_of("q-1")


def test_after_an_answer_the_language_is_the_requests_again():
    with translation.override("zh-hans"):
        with spoken("de"):
            assert translation.get_language() == "de"
        with spoken(None):
            assert translation.get_language() == "zh-hans"
        with pytest.raises(ZeroDivisionError), spoken("de"):
            raise ZeroDivisionError
        assert translation.get_language() == "zh-hans"
