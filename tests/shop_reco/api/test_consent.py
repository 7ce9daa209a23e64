"""What each purpose allows is what is stored and used: every combination of purposes, through every way in."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import json
import tempfile
import uuid
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from shop_reco.events.cleaning import training_interactions
from shop_reco.events.models import Event, RejectedEvent
from shop_reco.events.services import track
from shop_reco.portraits.reading import portrait_of
from shop_reco.portraits.services import refresh_dirty
from shop_reco.recommendations.models import AnswerCount, CountedDay, Slate
from shop_reco.recommendations.reading import FEWEST
from shop_reco.recommendations.services import roll_up_answers
from shop_reco.recommendations.serving import recommend_for
from shop_reco.recommendations.serving.slates import buffer
from shop_reco.users.models import Consent, Shopper
from shop_reco.users.selectors import consents
from shop_reco.users.services import (
    create_visitor,
    decide_consent,
    ensure_shopper,
    issue_key,
)
from tests.shop_reco.graphql import ask

PURPOSES = ("personalisation", "training", "analytics")
COMBINATIONS = [dict(zip(PURPOSES, flags, strict=True)) for flags in itertools.product((False, True), repeat=3)]
ALLOW = """mutation($i: ConsentInput!) {
  updateConsent(input: $i) { consents { purpose granted version source decidedAt } errors { code field } }
}"""
TRACK = "mutation($e: [EventInput!]!) { trackEvents(events: $e) { accepted rejected { code } } }"


def view():
    return {"id": str(uuid.uuid4()), "type": "VIEW_ITEM", "sku": "Soap-1"}


def decided(wanted):
    """A browser whose visitor allowed everything first and then decided as wanted."""
    client = Client()
    ask(client, ALLOW, {"i": dict.fromkeys(PURPOSES, True)})
    ask(client, ALLOW, {"i": wanted})
    return client, Shopper.objects.filter(external_id=None).latest("pk")


def by_a_browser(wanted, shop):
    client, visitor = decided(wanted)
    ask(client, TRACK, {"e": [view()]})
    return visitor


def by_the_beacon(wanted, shop):
    client, visitor = decided(wanted)
    body = json.dumps([view()])
    client.generic("POST", "/events/beacon/", body, "text/plain", headers={"Origin": "http://testserver"})
    return visitor


def by_the_checkout(wanted, shop):
    client, visitor = decided(wanted)
    client.post("/cart/", {"action": "add", "product": str(shop.products["Soap-1"].public_id)})
    assert client.post("/cart/", {"action": "checkout"}).status_code == 302
    return visitor


def by_a_server(wanted, shop, **named):
    headers = {"Authorization": f"Bearer {issue_key(name='server', scopes=['events:write'])[1]}"}
    name = f"s{uuid.uuid4()}"
    ask(Client(), ALLOW, {"i": wanted}, X_Shopper=name, **headers)
    if named:
        ask(Client(), TRACK, {"e": [view() | {"shopper": name}]}, **headers)
    else:
        ask(Client(), TRACK, {"e": [view()]}, X_Shopper=name, **headers)
    return Shopper.objects.get(external_id=name)


def by_a_server_that_names_each(wanted, shop):
    return by_a_server(wanted, shop, in_each=True)


def by_the_shops_own_code(wanted, shop):
    shopper = ensure_shopper(external_id=f"s{uuid.uuid4()}")
    decide_consent(shopper=shopper, decisions=wanted, source="test")
    track(shopper=shopper, type="view_item", product=shop.products["Soap-1"])
    return shopper


def imported(shopper, *, claims):
    """A file with one event of this shopper, imported by the command with what it claims they consented to."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.csv"
        at = timezone.now() - dt.timedelta(minutes=1)
        path.write_text(f"id,shopper,type,sku,occurred_at\n1,{shopper.external_id},view_item,Soap-1,{at.isoformat()}\n")
        source = f"other shop {shopper.pk}"
        call_command("import_events", str(path), source=source, consent=",".join(claims), stdout=io.StringIO())
    return shopper


def by_an_import_that_claims_it(wanted, shop):
    shopper = ensure_shopper(external_id=f"s{uuid.uuid4()}")
    return imported(shopper, claims=[purpose for purpose, given in wanted.items() if given])


def by_an_import_that_claims_more_than_was_decided_here(wanted, shop):
    shopper = ensure_shopper(external_id=f"s{uuid.uuid4()}")
    decide_consent(shopper=shopper, decisions=wanted, source="test")
    return imported(shopper, claims=PURPOSES)


WAYS = [
    by_a_browser,
    by_the_beacon,
    by_the_checkout,
    by_a_server,
    by_a_server_that_names_each,
    by_the_shops_own_code,
    by_an_import_that_claims_it,
    by_an_import_that_claims_more_than_was_decided_here,
]


def known_events():
    """Those that the dashboard knows of."""
    return sum(each.events for each in CountedDay.objects.all())


def told_events():
    """Those that it tells: of days with enough shoppers."""
    return sum(each.events for each in CountedDay.objects.filter(shoppers__gte=FEWEST))


def counted_events():
    roll_up_answers()
    return known_events()


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_each_purpose_is_honoured_whichever_way_an_event_comes(trained, way):
    for wanted in COMBINATIONS:
        counted, rejected = counted_events(), RejectedEvent.objects.count()
        shopper = way(wanted, trained)
        assert consents(shopper=shopper) == wanted
        stored = Event.objects.filter(shopper=shopper).count()
        assert stored == int(any(wanted.values())), wanted
        assert RejectedEvent.objects.count() == rejected
        served = recommend_for(shopper=shopper, first=5)
        assert served.personalised == wanted["personalisation"], wanted
        learnt = set(training_interactions(until=timezone.now()).user_ids)
        assert (shopper.pk in learnt) == wanted["training"], wanted
        assert counted_events() - counted == int(wanted["analytics"]), wanted
        refresh_dirty()
        assert (portrait_of(shopper=shopper) is not None) == wanted["personalisation"], wanted
        assert Slate.objects.get(pk=served.slate_id).shopper_id == (shopper.pk if any(wanted.values()) else None)


def test_everything_is_off_until_it_is_given_and_no_purpose_brings_another(db):
    for purpose in PURPOSES:
        visitor = create_visitor()
        assert not any(consents(shopper=visitor).values())
        decide_consent(shopper=visitor, decisions={purpose: True}, source="test")
        assert consents(shopper=visitor) == {each: each == purpose for each in PURPOSES}


def test_saying_no_keeps_nothing_of_a_stranger(db, client):
    payload = ask(client, ALLOW, {"i": dict.fromkeys(PURPOSES, False)})["data"]["updateConsent"]
    assert not any(each["granted"] for each in payload["consents"])
    assert (Shopper.objects.count(), Consent.objects.count(), client.cookies) == (0, 0, {})


def test_what_is_shown_is_sent_back_and_kept_with_time_and_source(db, client):
    statements = ask(client, "{ consentStatements { purpose version language text } }", Accept_Language="zh-hans")[
        "data"
    ]["consentStatements"]
    assert [each["purpose"] for each in statements] == ["PERSONALISATION", "TRAINING", "ANALYTICS"]
    read = statements[0]
    assert (read["version"], read["language"]) == ("1", "zh-hans")
    assert "随时撤回" in read["text"]
    shown = [{name: read[name] for name in ("purpose", "version", "language")}]
    payload = ask(client, ALLOW, {"i": {"personalisation": True, "shown": shown}})["data"]["updateConsent"]
    state = payload["consents"][0]
    assert (state["granted"], state["version"], state["source"]) == (True, "1", "shop")
    row = Consent.objects.get()
    assert (row.text_version, row.text_language, row.decided_at.isoformat()) == ("1", "zh-hans", state["decidedAt"])


def test_a_version_that_was_never_shown_is_refused_and_makes_no_visitor(db, client):
    shown = [{"purpose": "PERSONALISATION", "version": "7", "language": "en"}]
    payload = ask(client, ALLOW, {"i": {"personalisation": True, "shown": shown}})["data"]["updateConsent"]
    assert payload["errors"] == [{"code": "UNKNOWN_VERSION", "field": "shown"}]
    assert (Shopper.objects.count(), client.cookies) == (0, {})


def test_what_was_withdrawn_is_in_no_count_of_the_dashboard_even_if_it_was_counted_before(trained, staff, person):
    cache.clear()
    served = recommend_for(shopper=person, first=5)
    track(shopper=person, type="select_item", product=served.edges[0].product, slate_id=served.slate_id)
    roll_up_answers()
    before = told_events()
    assert f"Events of 28 days: {before}" in staff.get("/admin/").content.decode()
    assert AnswerCount.objects.get(recommender="").clicks == 1
    decide_consent(shopper=person, decisions={"analytics": False}, source="test")
    after = told_events()
    assert after < before
    page = staff.get("/admin/").content.decode()
    assert f"Events of 28 days: {after}" in page
    assert f"Events of 28 days: {before}" not in page
    assert not AnswerCount.objects.exists()


def test_a_list_on_its_way_to_its_row_loses_its_name_when_consent_is_withdrawn(trained, person, settings, monkeypatch):
    from shop_reco.recommendations.serving import slates

    settings.SHOP_RECO = {**settings.SHOP_RECO, "SLATE_BUFFER": 10}
    monkeypatch.setattr(slates.threading.Thread, "start", lambda self: None)  # the writer has not come to it yet
    served = recommend_for(shopper=person, first=5)
    waiting = buffer.find(served.slate_id)
    assert waiting.shopper_id == person.pk
    decide_consent(shopper=person, decisions=dict.fromkeys(PURPOSES, False), source="test")
    slates._keep([waiting])
    assert Slate.objects.get(pk=served.slate_id).shopper_id is None


def test_pages_of_a_list_go_on_for_who_allows_nothing(trained, person):
    decide_consent(shopper=person, decisions=dict.fromkeys(PURPOSES, False), source="test")
    whole = [edge.product for edge in recommend_for(shopper=person, first=10).edges]
    first = recommend_for(shopper=person, first=5)
    second = recommend_for(shopper=person, first=5, after=first.edges[-1].cursor)
    assert [edge.product for edge in (*first.edges, *second.edges)] == whole
