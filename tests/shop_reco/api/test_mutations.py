"""What a visitor decides and says counts for their next list."""

from __future__ import annotations

import json
import uuid

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from shop_reco.api.identity import Identity
from shop_reco.events.models import Event, RejectedEvent
from shop_reco.recommendations.models import Feedback
from shop_reco.users.models import Shopper
from shop_reco.users.services import create_visitor, decide_consent, ensure_account, issue_key
from tests.shop_reco.graphql import LIST, ask


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


def server(*scopes):
    return {"Authorization": f"Bearer {issue_key(name='server', scopes=scopes)[1]}"}


def test_a_bad_row_is_refused_and_the_good_one_beside_it_kept(shop, client):
    good = {"type": "VIEW_ITEM", "sku": "Tea-1"}
    bad = [{"sku": "\ud800"}, {"sku": "\0"}, {"shopper": "\ud800"}, {"text": "a\ud800"}, {"currency": "\0"}]
    events = [{"id": str(uuid.uuid4()), **good, **more} for more in [{}, *bad]]
    document = "mutation($e: [EventInput!]!) { trackEvents(events: $e) { accepted rejected { index code } } }"
    outcome = ask(client, document, {"e": events}, X_Shopper="h0", **server("events:write"))["data"]["trackEvents"]
    assert outcome["accepted"] == 1
    assert outcome["rejected"] == [{"index": n, "code": "BAD_FIELD"} for n in range(1, 6)]
    assert RejectedEvent.objects.filter(shopper__external_id="h0").count() == 4


def test_feedback_on_somebody_elses_list_is_kept_without_the_list(trained, client):
    headers = server("events:write", "lists:read")
    listed = ask(client, LIST, {"n": 1}, X_Shopper="h0", **headers)["data"]["recommendations"]
    document = "mutation($i: FeedbackInput!) { giveFeedback(input: $i) { ok } }"
    said = {"product": listed["edges"][0]["node"]["id"], "kind": "LIKE", "slateId": listed["slateId"]}
    for name, slate_id in (("h0", said["slateId"]), ("h1", said["slateId"]), ("h2", str(uuid.uuid4()))):
        ask(client, document, {"i": {**said, "slateId": slate_id}}, X_Shopper=name, **headers)
    kept = Feedback.objects.order_by("pk").values_list("slate_id", flat=True)
    assert list(kept) == [uuid.UUID(listed["slateId"]), None, None]


def test_a_key_must_name_the_shopper_whose_consent_it_is(db, client):
    document = "mutation { updateConsent(input: {personalisation: true}) { consents { granted } } }"
    (error,) = ask(client, document, **server("events:write"))["errors"]
    assert error["extensions"]["code"] == "SHOPPER_REQUIRED"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "document",
    [
        "mutation { eraseMe(confirm: true) { receipt } }",
        "mutation { updateConsent(input: {personalisation: true}) { consents { granted } } }",
        'mutation { editInterests(input: {pin: [{kind: "brand", key: "b"}]}) { errors { code } } }',
    ],
)
def test_whoever_was_erased_meanwhile_is_gone(client, monkeypatch, document):
    erased = create_visitor()
    Shopper.objects.filter(pk=erased.pk).delete()
    monkeypatch.setattr("shop_reco.api.views.identity_of", lambda request, key: Identity(shopper=erased))
    (error,) = ask(client, document)["errors"]
    assert error["extensions"]["code"] == "GONE"


TRACK = (
    "mutation($e: [EventInput!]!) { trackEvents(events: $e) { accepted duplicates rejected { index code message } } }"
)


def test_values_that_graphql_would_refuse_cost_their_own_event_and_no_other(shop, client):
    good = {"type": "VIEW_ITEM", "sku": "Tea-1"}
    bad = {
        "id must be a UUID": {"id": "nobody's"},
        "type must be one of view_item": {"type": "DANCE"},
        "occurredAt must be an ISO 8601 time with a zone": {"occurredAt": "yesterday"},
        "channel must be one of web": {"channel": "PIGEON"},
        "quantity must lie between 1": {"quantity": 2**63},
        "price must be a decimal number": {"price": "much"},
        "rating must be a number": {"rating": "five"},
        "text must be a text": {"text": ["a"]},
        "shopper must be 1 to 128": {"shopper": {"name": "h0"}},
        "product must be a UUID": {"product": [1]},
        "slateId must be a UUID": {"slateId": "none"},
    }
    events = [{"id": str(uuid.uuid4()), **good, **more} for more in [{}, *bad.values(), {}]]
    outcome = ask(client, TRACK, {"e": [*events, events[0]]}, X_Shopper="h0", **server("events:write"))
    told = outcome["data"]["trackEvents"]
    assert (told["accepted"], told["duplicates"], len(told["rejected"])) == (2, 1, len(bad))
    for n, (each, message) in enumerate(zip(told["rejected"], bad, strict=True), start=1):
        assert each["index"] == n
        assert each["message"].startswith(message), each
    # Whose the one with the nameless shopper is, nobody knows.
    assert RejectedEvent.objects.filter(shopper__external_id="h0").count() == len(bad) - 1


def test_a_number_that_json_reads_as_infinite_is_refused_with_its_field(shop, client):
    event = {"id": str(uuid.uuid4()), "type": "RATE", "sku": "Tea-1", "rating": 0}
    body = json.dumps({"query": TRACK, "variables": {"e": [event]}}).replace('"rating": 0', '"rating": 1e999')
    headers = {"X-Shopper": "h0", **server("events:write")}
    reply = client.post("/graphql/", body, content_type="application/json", headers=headers).json()
    assert [each["message"] for each in reply["data"]["trackEvents"]["rejected"]] == ["rating must lie between 1 and 5"]


def test_variables_stand_in_the_fields_of_an_event_as_the_schema_says(shop, client):
    document = """mutation($id: UUID!, $type: EventType!, $n: Int, $at: DateTime, $channel: Channel) {
        trackEvents(events: [
            {id: $id, type: $type, sku: "Tea-1", quantity: $n, occurredAt: $at, channel: $channel}
        ]) { accepted } }"""
    event_id = str(uuid.uuid4())
    said = {"id": event_id, "type": "VIEW_ITEM", "n": 2, "at": timezone.now().isoformat(), "channel": "APP"}
    reply = ask(client, document, said, X_Shopper="h0", **server("events:write"))
    assert reply["data"]["trackEvents"]["accepted"] == 1
    stored = Event.objects.get(pk=event_id)
    assert (stored.quantity, stored.channel) == (2, "app")
    wrong = document.replace("$id: UUID!", "$id: String!")
    (error,) = ask(client, wrong, said, X_Shopper="h0", **server("events:write"))["errors"]
    assert error["extensions"]["code"] == "BAD_DOCUMENT"


@pytest.mark.parametrize("signed_in", [True, False])
def test_a_browser_may_not_say_what_was_bought_or_for_how_much(shop, client, signed_in):
    if signed_in:
        user = User.objects.create_user("somebody")
        client.force_login(user)
        shopper = ensure_account(user=user)
        decide_consent(shopper=shopper, decisions={"personalisation": True}, source="test")
    else:
        ask(client, "mutation { updateConsent(input: {personalisation: true}) { consents { granted } } }")
    forged = [{"type": "PURCHASE"}, {"type": "REFUND"}, {"price": "1.00"}, {"order": "o1"}, {"shopper": "h0"}]
    events = [{"id": str(uuid.uuid4()), "type": "VIEW_ITEM", "sku": "Tea-1", **more} for more in [{}, *forged]]
    before = Event.objects.count()
    told = ask(client, TRACK, {"e": events})["data"]["trackEvents"]
    assert [(each["index"], each["code"]) for each in told["rejected"]] == [(n, "FORBIDDEN_FIELD") for n in range(1, 6)]
    assert Event.objects.count() == before + 1
    assert not RejectedEvent.objects.exists()
    said = ask(client, TRACK, {"e": events[1:3]}, X_Shopper="h0", **server("events:write"))["data"]["trackEvents"]
    assert said["accepted"] == 2
