"""What a visitor decides and says counts for their next list."""

from __future__ import annotations

from shop_reco.users.models import Shopper
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
