"""What the shop's side promises, from an event to the list that it changes."""

from __future__ import annotations

import datetime as dt
import json
import math
import uuid

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from shop_reco.events.models import Event, RejectedEvent
from shop_reco.events.services import Sender, record_events, track
from shop_reco.portraits.reading import portrait_of
from shop_reco.portraits.services import refresh_dirty
from shop_reco.privacy.services import erase_shopper, export_shopper
from shop_reco.products.services import set_visibility
from shop_reco.recommendations import serving
from shop_reco.recommendations.models import ModelVersion, Recommender, TrainingRun
from shop_reco.recommendations.services import (
    claim_next_run,
    give_feedback,
    request_training,
    roll_back,
    set_enabled,
)
from shop_reco.recommendations.serving.memory import memory
from shop_reco.recommendations.training import run_next
from shop_reco.users.models import Shopper
from shop_reco.users.selectors import key_of, linked_ids
from shop_reco.users.services import create_visitor, decide_consent, issue_key, link_visitor, revoke_key, undo_link

JSON = {"method": "POST", "content_type": "application/json"}


def skus(served):
    return [edge.product.sku for edge in served.edges]


def ask(client, query, variables=None, **headers):
    reply = client.post(
        "/graphql/", {"query": query, "variables": variables or {}}, content_type="application/json", headers=headers
    )
    return json.loads(reply.content)


LIST = """
query($n: Int!, $after: String) {
  recommendations(first: $n, after: $after) {
    rung
    slateId
    edges { cursor rank score placedBy node { id sku } reasons { kind points text } }
    pageInfo { hasNextPage }
  }
}
"""


def test_the_same_event_sent_twice_counts_once(shop, person):
    event = {"id": uuid.uuid4(), "type": "view_item", "sku": "Tea-1"}
    first = record_events(events=[event, event], shopper=person, sender=Sender.BROWSER)
    again = record_events(events=[event], shopper=person, sender=Sender.BROWSER)
    assert (first.accepted, first.duplicates, again.accepted, again.duplicates) == (1, 1, 0, 1)
    assert Event.objects.filter(pk=event["id"]).count() == 1


def test_the_same_id_with_another_body_is_a_conflict(shop, person):
    event = {"id": uuid.uuid4(), "type": "view_item", "sku": "Tea-1"}
    record_events(events=[event], shopper=person, sender=Sender.BROWSER)
    outcome = record_events(events=[{**event, "sku": "Tea-2"}], shopper=person, sender=Sender.BROWSER)
    assert [each.code for each in outcome.rejected] == ["CONFLICT"]


def test_good_events_beside_bad_ones_are_kept_and_bad_ones_can_be_seen(shop, person):
    outcome = record_events(
        events=[
            {"id": uuid.uuid4(), "type": "view_item", "sku": "Tea-1"},
            {"id": uuid.uuid4(), "type": "dance", "sku": "Tea-1"},
            {"id": uuid.uuid4(), "type": "view_item", "sku": "nothing"},
            {"id": uuid.uuid4(), "type": "rate", "sku": "Tea-1", "rating": math.nan},
        ],
        shopper=person,
        sender=Sender.SERVER,
    )
    assert outcome.accepted == 1
    assert [each.code for each in outcome.rejected] == ["UNKNOWN_TYPE", "UNKNOWN_PRODUCT", "BAD_FIELD"]
    assert RejectedEvent.objects.count() == 3


def test_a_browser_may_not_claim_a_purchase(shop, person):
    event = {"id": uuid.uuid4(), "type": "purchase", "sku": "Tea-1"}
    outcome = record_events(events=[event], shopper=person, sender=Sender.BROWSER)
    assert [each.code for each in outcome.rejected] == ["FORBIDDEN_FIELD"]
    assert not RejectedEvent.objects.exists()


def test_without_consent_nothing_is_stored(shop, person):
    decide_consent(
        shopper=person, decisions={"personalisation": False, "training": False, "analytics": False}, source="test"
    )
    before = Event.objects.count()
    outcome = record_events(
        events=[{"id": uuid.uuid4(), "type": "view_item", "sku": "Tea-1"}], shopper=person, sender=Sender.BROWSER
    )
    assert [each.code for each in outcome.rejected] == ["CONSENT_REQUIRED"]
    assert Event.objects.count() == before
    assert not RejectedEvent.objects.exists()


def test_an_event_older_than_the_retention_is_refused(shop, person):
    old = timezone.now() - dt.timedelta(days=500)
    event = {"id": uuid.uuid4(), "type": "view_item", "sku": "Tea-1", "occurred_at": old}
    outcome = record_events(events=[event], shopper=person, sender=Sender.SERVER)
    assert [each.code for each in outcome.rejected] == ["TOO_OLD"]


def test_the_database_itself_refuses_an_impossible_rating(shop, person):
    with pytest.raises(IntegrityError), transaction.atomic():
        Event.objects.create(
            id=uuid.uuid4(),
            shopper=person,
            type="rate",
            product=shop.products["Tea-1"],
            rating=9,
            occurred_at=shop.now,
            received_at=shop.now,
        )


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


def test_a_refused_product_never_comes_back(trained, person):
    first = serving.recommend_for(shopper=person, first=5).edges[0].product
    give_feedback(shopper=person, product=first, kind="not_interested")
    assert first.sku not in skus(serving.recommend_for(shopper=person, first=36))


def test_views_change_the_next_list_with_no_training(trained, person):
    before = skus(serving.recommend_for(shopper=person, first=10))
    for n in range(3):
        track(shopper=person, type="view_item", product=trained.products[f"Soap-{n}"])
    assert skus(serving.recommend_for(shopper=person, first=10)) != before


def test_a_hidden_product_is_gone_from_the_next_list(trained, person):
    first = serving.recommend_for(shopper=person, first=5).edges[0].product
    set_visibility(products=[first], visible=False)
    served = serving.recommend_for(shopper=person, first=5)
    assert first.sku not in skus(served)
    assert len(served.edges) == 5


def test_a_switched_off_recommender_gives_no_reason_in_the_next_list(trained, person):
    set_enabled(kind="user_cf", enabled=False)
    kinds = {r.kind for edge in serving.recommend_for(shopper=person, first=10).edges for r in edge.reasons}
    assert "SIMILAR_SHOPPERS" not in kinds
    set_enabled(kind="user_cf", enabled=True)
    kinds = {r.kind for edge in serving.recommend_for(shopper=person, first=10).edges for r in edge.reasons}
    assert "SIMILAR_SHOPPERS" in kinds


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


def test_a_damaged_artifact_is_never_served(trained, person, settings):
    version = ModelVersion.objects.get(recommender="item_cf", state="live")
    file = settings.SHOP_RECO["ARTIFACTS_ROOT"] / version.public_id.hex / "targets_.npy"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))
    memory.forget()
    served = serving.recommend_for(shopper=person, first=5)
    assert served.rung == "LAST_GOOD"
    assert len(served.edges) == 5


def test_a_dead_workers_run_is_taken_over_and_the_live_version_stays(trained):
    live = ModelVersion.objects.get(recommender="popularity", state="live")
    request_training(kind="popularity")
    dead = claim_next_run(owner=uuid.uuid4())
    assert run_next() is None
    TrainingRun.objects.filter(pk=dead.pk).update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    assert ModelVersion.objects.get(recommender="popularity", state="live") == live
    assert run_next().state == "done"
    assert ModelVersion.objects.get(recommender="popularity", state="live") != live


def test_rolling_back_makes_the_earlier_version_live(trained):
    first = ModelVersion.objects.get(recommender="popularity", state="live")
    request_training(kind="popularity")
    run_next()
    assert roll_back(kind="popularity") == first
    assert ModelVersion.objects.get(recommender="popularity", state="live") == first


def test_training_an_empty_shop_fails_with_a_reason(db):
    request_training(kind="popularity")
    run = run_next()
    assert run.state == "failed"
    assert "nothing to learn from" in run.why


def test_the_portrait_of_a_shopper_names_what_they_buy(trained, person):
    refresh_dirty()
    view = portrait_of(shopper=person, now=trained.now)
    assert view.orders == 8
    assert view.spent == 20
    assert view.interests[0].key in {"Tea", "B0", "B1", "B2"}


def test_a_visitor_joins_an_account_and_parts_again(shop, person):
    visitor = create_visitor()
    assert link_visitor(visitor=visitor, account=person) is None
    decide_consent(shopper=visitor, decisions={"personalisation": True}, source="test")
    link = link_visitor(visitor=visitor, account=person)
    assert linked_ids(shopper=person) == [person.pk, visitor.pk]
    undo_link(link=link)
    assert linked_ids(shopper=person) == [person.pk]


def test_a_revoked_key_is_no_key(db):
    key, plain = issue_key(name="server", scopes=["lists:read"])
    assert key_of(plain=plain) == key
    assert key_of(plain=plain[:-1]) is None
    revoke_key(key=key)
    assert key_of(plain=plain) is None


def test_erasing_leaves_no_row_and_a_receipt_without_a_name(trained, person):
    assert export_shopper(shopper=person)["event"]
    receipt = erase_shopper(shopper=person)
    assert receipt.counts["event"] == 8
    assert not Shopper.objects.filter(external_id="h0").exists()
    assert "h0" not in json.dumps([receipt.counts, receipt.versions])


def test_graphql_answers_a_servers_question_for_its_shopper(trained, client):
    _, plain = issue_key(name="server", scopes=["lists:read", "events:write"])
    reply = ask(client, LIST, {"n": 10}, Authorization=f"Bearer {plain}", X_Shopper="h0")
    edges = reply["data"]["recommendations"]["edges"]
    assert len(edges) == 10
    for edge in edges:
        assert math.fsum(r["points"] for r in edge["reasons"]) == pytest.approx(edge["score"], rel=1e-6)


def test_a_browser_that_names_a_shopper_is_refused(trained, client):
    assert ask(client, LIST, {"n": 1}, X_Shopper="h0")["errors"][0]["extensions"]["code"] == "FORBIDDEN"


def test_a_bad_page_is_a_typed_error(trained, client):
    assert ask(client, LIST, {"n": 1000})["errors"][0]["extensions"]["code"] == "BAD_PAGE"


def test_consent_makes_a_visitor_and_feedback_counts_for_them(trained, client):
    before = Shopper.objects.count()
    assert ask(client, "{ me { known } }")["data"]["me"]["known"] is False
    ask(client, "mutation { updateConsent(input: {personalisation: true}) { consents { granted } } }")
    assert Shopper.objects.count() == before + 1
    (edge, *_) = ask(client, LIST, {"n": 5})["data"]["recommendations"]["edges"]
    feedback = "mutation($i: FeedbackInput!) { giveFeedback(input: $i) { ok } }"
    ask(client, feedback, {"i": {"product": edge["node"]["id"], "kind": "NOT_INTERESTED"}})
    later = ask(client, LIST, {"n": 36})["data"]["recommendations"]["edges"]
    assert edge["node"]["id"] not in [each["node"]["id"] for each in later]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"method": "GET"}, 405),
        ({"method": "POST", "content_type": "text/plain", "data": "{}"}, 415),
        ({**JSON, "data": "[]"}, 400),
        ({**JSON, "data": '{"query": NaN}'}, 400),
        ({**JSON, "data": "x" * 300_000}, 413),
        ({**JSON, "data": "{}", "headers": {"Origin": "https://evil.example"}}, 403),
    ],
)
def test_what_is_no_graphql_request_is_refused_by_status(db, client, request_, status):
    assert client.generic(request_.pop("method"), "/graphql/", **request_).status_code == status


def test_a_document_that_is_too_large_or_too_deep_is_refused(db, client):
    assert "errors" in ask(client, "{ " + " ".join(f"a{n}: me {{ known }}" for n in range(16)) + " }")
    assert "errors" in ask(client, "{ " + "me { known } " * 600 + "}")


@pytest.mark.parametrize("path", ["/", "/search/?q=Tea", "/cart/", "/portrait/", "/category/tea/", "/health/"])
def test_every_page_of_the_shop_opens(trained, client, path):
    assert client.get(path).status_code == 200


def test_checkout_writes_purchases_on_the_server(trained, client):
    ask(client, "mutation { updateConsent(input: {personalisation: true}) { consents { granted } } }")
    product = trained.products["Tea-1"]
    assert client.get(f"/product/{product.public_id}/").status_code == 200
    client.post("/cart/", {"action": "add", "product": str(product.public_id)})
    client.post("/cart/", {"action": "checkout"})
    visitor = Shopper.objects.get(external_id=None)
    assert Event.objects.filter(shopper=visitor, type="purchase", product=product).count() == 1


def test_what_a_catalogue_wrote_is_shown_as_text(trained, client):
    product = trained.products["Tea-1"]
    product.title = "<script>alert(1)</script>"
    product.save()
    assert b"<script>alert(1)" not in client.get(f"/product/{product.public_id}/").content


@pytest.fixture
def staff(db, client):
    client.force_login(User.objects.create_superuser("staff"))
    return client


def test_every_admin_page_opens(trained, staff):
    from shop_reco.admin_site import admin_site

    for model in admin_site._registry:
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert staff.get(path).status_code == 200, path


def test_a_toggle_in_the_admin_counts_at_the_next_request(trained, staff, person):
    staff.post(
        "/admin/reco_recommendations/recommender/",
        {"action": "switch_off", "_selected_action": ["user_cf"]},
    )
    assert not Recommender.objects.get(kind="user_cf").enabled
    kinds = {r.kind for edge in serving.recommend_for(shopper=person, first=10).edges for r in edge.reasons}
    assert "SIMILAR_SHOPPERS" not in kinds


def test_the_admin_refuses_who_is_not_staff(db, client):
    assert client.get("/admin/reco_products/product/").status_code == 302


def test_the_demo_switcher_is_an_error_where_debug_is_off(settings):
    from django.core.management.base import SystemCheckError

    settings.SHOP_RECO = {**settings.SHOP_RECO, "DEMO_SWITCHER": True}
    with pytest.raises(SystemCheckError, match="shop as anyone"):
        call_command("check")


def test_the_shop_speaks_chinese(trained, client):
    page = client.get("/", headers={"Accept-Language": "zh-hans"}).content.decode()
    assert "为您精选" in page
    assert "当前热门" in page
