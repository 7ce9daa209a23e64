"""Several lists of a page at once, lists that want something else than their placement, and one item explained."""

from __future__ import annotations

import itertools
import math
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop_reco.api.ids import global_id
from shop_reco.recommendations.models import Slate
from shop_reco.users.services import issue_key
from tests.shop_reco.graphql import ask

MANY = """query($r: [RecommendationRequest!]!) { recommendationsFor(requests: $r) {
    slateId rung edges { node { id sku } score } } }"""
ONE = """query($c: RecommendationContext, $t: RecommendationTuning) {
    recommendations(first: 8, context: $c, tuning: $t) {
        slateId edges { node { id sku } score placedBy reasons { points } } } }"""
WHY = """query($s: ID!, $p: ID!) { explain(slateId: $s, product: $p) {
    score gone terms { kind points text evidence { sku } } without { id sku } instead { sku } } }"""


@pytest.fixture
def asks(trained, client):
    key = issue_key(name="server", scopes=["lists:read"])[1]

    def of(shopper, document, variables=None):
        headers = {"Authorization": f"Bearer {key}"} | ({"X_Shopper": shopper} if shopper else {})
        reply = ask(client, document, variables, **headers)
        return reply["data"] if "errors" not in reply else reply["errors"][0]["extensions"]["code"]

    return of


def skus(told):
    return [edge["node"]["sku"] for edge in told["edges"]]


def test_no_product_is_in_two_lists_of_a_page(asks):
    wanted = [{"placement": name, "first": 6} for name in ("home", "popular", "trending")]
    lists = asks("h0", MANY, {"r": wanted})["recommendationsFor"]
    shown = [sku for each in lists for sku in skus(each)]
    assert len(shown) == len(set(shown)) == 18
    assert len({each["slateId"] for each in lists}) == 3


def test_the_first_list_is_the_one_that_it_would_be_alone(asks):
    lists = asks("h0", MANY, {"r": [{"first": 6}, {"placement": "popular", "first": 6}]})["recommendationsFor"]
    alone = asks("h0", MANY, {"r": [{"first": 6}]})["recommendationsFor"][0]
    assert skus(lists[0]) == skus(alone)


def test_one_more_list_costs_the_same_number_of_queries_each(asks):
    counts = []
    for n in (1, 2, 3, 4):
        with CaptureQueriesContext(connection) as queries:
            asks("h0", MANY, {"r": [{"first": 2}] * n})
        counts.append(len(queries))
    steps = [later - before for before, later in itertools.pairwise(counts[1:])]
    assert len(set(steps)) == 1


@pytest.mark.parametrize(
    ("requests", "code"),
    [
        ([{}] * 11, "BAD_VALUE"),
        ([{"placement": "nowhere"}], "NOT_FOUND"),
        ([{"first": 0}], "BAD_PAGE"),
        ([{"tuning": {"diversity": 1.5}}], "BAD_VALUE"),
        ([{"tuning": {"minimumScore": 1e300}}], "BAD_VALUE"),
        ([{"context": {"page": "x" * 257}}], "BAD_VALUE"),
        ([{"context": {"exclude": ["nonsense"]}}], "BAD_ID"),
        ([{"context": {"products": [global_id("Product", uuid.uuid4())]}}], "NOT_FOUND"),
    ],
)
def test_what_cannot_be_is_told(asks, requests, code):
    assert asks("h0", MANY, {"r": requests}) == code


def test_what_is_excluded_is_not_there_and_the_next_best_are(asks):
    before = asks("h0", ONE)["recommendations"]
    away = [edge["node"]["id"] for edge in before["edges"][:3]] + [global_id("Product", uuid.uuid4())]
    after = asks("h0", ONE, {"c": {"exclude": away}})["recommendations"]
    assert skus(after)[:5] == skus(before)[3:]
    assert len(after["edges"]) == 8


def test_where_it_is_shown_is_kept_with_the_list(asks):
    told = asks("h0", ONE, {"c": {"page": "checkout", "device": "phone", "channel": "APP"}})["recommendations"]
    context = Slate.objects.get(pk=told["slateId"]).context
    assert {"page": "checkout", "device": "phone", "channel": "app"}.items() <= context.items()


def test_what_scores_less_than_is_wanted_is_left_out_and_nothing_fills_its_place(asks):
    scores = [edge["score"] for edge in asks("h0", ONE)["recommendations"]["edges"]]
    some = asks("h0", ONE, {"t": {"minimumScore": (scores[3] + scores[4]) / 2}})["recommendations"]
    assert [edge["score"] for edge in some["edges"]] == pytest.approx(scores[:4])
    assert asks("h0", ONE, {"t": {"minimumScore": 1e6}})["recommendations"]["edges"] == []


def test_a_list_without_places_on_trial_is_the_list_by_score(asks):
    from shop_reco.recommendations.services import set_placement

    plain = skus(asks("h0", ONE)["recommendations"])
    set_placement(key="home", changes={"exploration": 0.5})
    assert "EXPLORATION" in {edge["placedBy"] for _ in range(5) for edge in asks("h0", ONE)["recommendations"]["edges"]}
    assert skus(asks("h0", ONE, {"t": {"exploration": False}})["recommendations"]) == plain


def test_a_list_may_be_asked_for_that_is_less_uniform(asks):
    shelves = {}
    for diversity in (0.0, 1.0):
        told = asks("h0", ONE, {"t": {"diversity": diversity}})["recommendations"]
        shelves[diversity] = len({sku.partition("-")[0] for sku in skus(told)})
    assert shelves[1.0] >= shelves[0.0]


def test_every_term_is_told_and_they_sum_to_the_score(asks):
    served = asks("h0", ONE)["recommendations"]
    for edge in served["edges"]:
        why = asks("h0", WHY, {"s": served["slateId"], "p": edge["node"]["id"]})["explain"]
        assert why["gone"] == ""
        assert math.fsum(term["points"] for term in why["terms"]) == pytest.approx(why["score"]) == edge["score"]
        assert len(why["terms"]) >= len(edge["reasons"])


def test_without_what_is_named_the_item_is_not_in_the_list(asks, trained):
    """Checked from outside: those events are deleted, and the list is asked for again."""
    from shop_reco.events.models import Event
    from shop_reco.users.models import Shopper

    served = asks("h0", ONE)["recommendations"]
    told = [(e, asks("h0", WHY, {"s": served["slateId"], "p": e["node"]["id"]})["explain"]) for e in served["edges"]]
    edge, why = next((edge, why) for edge, why in told if why["without"])
    gone = [each["sku"] for each in why["without"]]
    mine = Shopper.objects.get(external_id="h0")
    Event.objects.filter(shopper=mine, product__sku__in=gone).delete()
    after = asks("h0", ONE, {"c": {"exclude": [each["id"] for each in why["without"]]}})["recommendations"]
    assert edge["node"]["sku"] not in skus(after)
    assert {each["sku"] for each in why["instead"]} <= set(skus(after))


def test_a_list_is_explained_to_whoever_got_it_alone(asks):
    served = asks("h0", ONE)["recommendations"]
    product = served["edges"][0]["node"]["id"]
    assert asks("h0", WHY, {"s": served["slateId"], "p": product})["explain"] is not None
    assert asks("h1", WHY, {"s": served["slateId"], "p": product})["explain"] is None
    assert asks(None, WHY, {"s": served["slateId"], "p": product})["explain"] is None
    assert asks("h0", WHY, {"s": str(uuid.uuid4()), "p": product})["explain"] is None
    assert asks("h0", WHY, {"s": "nonsense", "p": product}) == "BAD_ID"


def test_what_rises_is_told_apart_from_what_is_popular(asks):
    told = asks(None, "{ trending(first: 5) { rung edges { node { sku } reasons { kind } } } }")["trending"]
    assert len(told["edges"]) == 5
    assert asks(None, '{ trending(filter: {category: "nothing"}) { edges { rank } } }')["trending"]["edges"] == []


ORDER = "query($p: [ID!]!) { reordered(products: $p) { personalised edges { node { sku } rank placedBy } } }"


@pytest.fixture
def found(trained):
    """What a search has found: by title, of every shelf."""
    names = [f"{shelf}-{n}" for n in range(4) for shelf in ("Cheese", "Soap", "Tea")]
    return {name: global_id("Product", trained.products[name].public_id) for name in names}


def test_a_search_comes_back_whole_in_an_order_of_ones_own(asks, found):
    mine = asks("h0", ORDER, {"p": list(found.values())})["reordered"]
    theirs = asks("h1", ORDER, {"p": list(found.values())})["reordered"]
    assert sorted(skus(mine)) == sorted(skus(theirs)) == sorted(found)
    assert skus(mine) != skus(theirs)
    assert mine["personalised"]
    assert [edge["rank"] for edge in mine["edges"]] == list(range(1, 13))


def test_what_cannot_be_shown_or_was_refused_is_left_out(asks, trained, found):
    from shop_reco.recommendations.services import give_feedback
    from shop_reco.users.models import Shopper

    hidden, refused = trained.products["Tea-1"], trained.products["Soap-2"]
    hidden.visible = False
    hidden.save()
    give_feedback(shopper=Shopper.objects.get(external_id="h0"), product=refused, kind="not_interested")
    assert set(found) - set(skus(asks("h0", ORDER, {"p": list(found.values())})["reordered"])) == {"Tea-1", "Soap-2"}


def test_where_nothing_is_known_the_order_stays(asks, found, trained):
    from shop_reco.recommendations.models import Recommender
    from shop_reco.recommendations.services import set_enabled

    for kind in Recommender.Kind.values:
        set_enabled(kind=kind, enabled=False)
    given = list(found.values())[::-1]
    told = asks(None, ORDER, {"p": given})["reordered"]
    assert skus(told) == list(found)[::-1]
    assert {edge["placedBy"] for edge in told["edges"]} == {"FILL"}
    assert asks(None, ORDER, {"p": []}) == "BAD_VALUE"


def test_an_order_of_ones_own_comes_page_by_page_and_bought_products_too(asks, found):
    paged = """query($p: [ID!]!, $after: String) { reordered(products: $p, first: 5, after: $after) {
        edges { node { sku } } pageInfo { hasNextPage endCursor } } }"""
    seen, after, goes_on = [], None, True
    while goes_on:
        page = asks("h0", paged, {"p": list(found.values()), "after": after})["reordered"]
        seen += skus(page)
        after, goes_on = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert seen == skus(asks("h0", ORDER, {"p": list(found.values())})["reordered"])
