"""What shoppers read before they decide has versions, and the one that they read is what is recorded."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from shop_reco.users.errors import UnknownStatementError
from shop_reco.users.models import Consent, ConsentStatement
from shop_reco.users.selectors import consents, statements_in_force
from shop_reco.users.services import Shown, create_visitor, decide_consent
from shop_reco.users.statements import ensure_statements, publish_statement

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


def read(language="en"):
    return {each.purpose: (each.version, each.language) for each in statements_in_force(language=language)}


def test_each_purpose_has_a_statement_in_both_languages():
    assert read("en") == dict.fromkeys(Consent.Purpose.values, ("1", "en"))
    assert read("zh-hans") == dict.fromkeys(Consent.Purpose.values, ("1", "zh-hans"))
    texts = ConsentStatement.objects.values_list("text", flat=True)
    assert len(set(texts)) == 6


def test_a_new_version_is_shown_from_its_moment_on_and_the_old_one_stays():
    now = timezone.now()
    publish_statement(purpose="training", version="2", texts={"en": "We learn."}, since=now - HOUR)
    publish_statement(purpose="training", version="3", texts={"en": "We learn more."}, since=now + HOUR)
    assert read()["training"] == ("2", "en")
    assert read()["analytics"] == ("1", "en")
    assert ConsentStatement.objects.filter(purpose="training", version="1").count() == 2


def test_the_newest_version_in_another_language_comes_before_an_old_one_in_ones_own():
    publish_statement(purpose="training", version="2", texts={"en": "We learn."}, since=timezone.now() - HOUR)
    assert read("zh-hans")["training"] == ("2", "en")
    publish_statement(purpose="training", version="3", texts={"fr": "Nous apprenons."}, since=timezone.now())
    assert read("zh-hans")["training"] == ("3", "fr")


def test_a_wording_that_somebody_may_have_agreed_to_is_never_changed():
    publish_statement(purpose="training", version="1", texts={"en": "Something else."}, since=timezone.now())
    ensure_statements()
    assert not ConsentStatement.objects.filter(text="Something else.").exists()
    assert ConsentStatement.objects.count() == 6


def test_a_statement_says_something():
    with pytest.raises(ValueError, match="text"):
        publish_statement(purpose="training", version="2", texts={"en": ""}, since=timezone.now())
    with pytest.raises(ValueError, match="unknown purpose"):
        publish_statement(purpose="mind_reading", version="1", texts={"en": "We know."}, since=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        ConsentStatement.objects.create(purpose="training", version="2", language="en", text="", since=timezone.now())


def decided(shopper):
    rows = Consent.objects.filter(shopper=shopper).order_by("pk")
    return list(rows.values_list("purpose", "granted", "text_version", "text_language", "source"))


def test_the_version_that_was_read_is_what_is_recorded():
    visitor = create_visitor()
    decide_consent(
        shopper=visitor, decisions={"training": True}, source="shop", shown={"training": Shown("1", "zh-hans")}
    )
    assert decided(visitor) == [("training", True, "1", "zh-hans", "shop")]
    decide_consent(shopper=visitor, decisions={"training": False}, source="shop")
    assert decided(visitor)[1:] == [("training", False, "", "", "shop")]


def test_agreeing_to_a_newer_version_is_a_new_decision_and_agreeing_twice_is_not():
    visitor = create_visitor()
    publish_statement(purpose="training", version="2", texts={"en": "We learn."}, since=timezone.now() - HOUR)
    for version in ("1", "1", "2", "2"):
        shown = {"training": Shown(version, "en")}
        decide_consent(shopper=visitor, decisions={"training": True}, source="shop", shown=shown)
    assert [row[2] for row in decided(visitor)] == ["1", "2"]
    assert Consent.objects.filter(shopper=visitor, superseded_at=None).count() == 1


@pytest.mark.parametrize("shown", [Shown("9", "en"), Shown("1", "xx"), Shown("soon", "en")])
def test_a_version_that_nobody_was_shown_cannot_be_agreed_to(shown):
    publish_statement(purpose="training", version="soon", texts={"en": "Later."}, since=timezone.now() + HOUR)
    visitor = create_visitor()
    decisions = {"personalisation": True, "training": True}
    with pytest.raises(UnknownStatementError):
        decide_consent(shopper=visitor, decisions=decisions, source="shop", shown={"training": shown})
    assert not any(consents(shopper=visitor).values())
