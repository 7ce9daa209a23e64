"""What a visitor's cookie carries is a secret that nobody guesses, that is replaced, and that ends."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from shop_reco.users.models import VisitorToken
from shop_reco.users.selectors import token_of
from shop_reco.users.services import create_visitor, decide_consent, ensure_shopper, link_visitor
from shop_reco.users.visitors import confirm_token, end_tokens, is_old, issue_token, renew_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor():
    return create_visitor()


def aged(secret, **age):
    VisitorToken.objects.filter(pk=token_of(secret=secret).pk).update(issued_at=timezone.now() - dt.timedelta(**age))


def test_a_secret_has_128_random_bits_and_is_not_stored(visitor):
    secrets = {issue_token(shopper=visitor) for _ in range(50)}
    assert len(secrets) == 50
    assert {len(bytes.fromhex(secret)) for secret in secrets} == {16}
    stored = {value for row in VisitorToken.objects.values_list("digest") for value in row}
    assert not stored & secrets
    assert visitor.public_id.hex not in secrets
    assert all(token_of(secret=secret).shopper == visitor for secret in secrets)


def test_ids_that_are_known_elsewhere_are_no_secrets(visitor):
    issue_token(shopper=visitor)
    digest = VisitorToken.objects.get().digest
    for guess in (visitor.public_id.hex, str(visitor.public_id), str(visitor.pk), digest, "", "0" * 32):
        assert token_of(secret=guess) is None


def test_a_secret_older_than_its_days_names_nobody(visitor, settings):
    secret = issue_token(shopper=visitor)
    aged(secret, days=364)
    assert token_of(secret=secret).shopper == visitor
    settings.SHOP_RECO = {**settings.SHOP_RECO, "VISITOR_DAYS": 30.0}
    assert token_of(secret=secret) is None


def test_it_is_time_for_a_new_secret_after_a_week(visitor):
    secret = issue_token(shopper=visitor)
    assert not is_old(token_of(secret=secret))
    aged(secret, days=8)
    assert is_old(token_of(secret=secret))


def test_the_old_secret_ends_when_the_new_one_came_back_and_not_before(visitor, settings):
    old = issue_token(shopper=visitor)
    new = renew_token(token=token_of(secret=old))
    assert token_of(secret=old).shopper == visitor  # the reply that carried the new one may have been lost
    settings.SHOP_RECO = {**settings.SHOP_RECO, "VISITOR_GRACE": 0.0}
    confirm_token(token=token_of(secret=new))
    assert token_of(secret=new).shopper == visitor
    assert token_of(secret=old) is None


def test_within_the_grace_the_old_secret_still_counts(visitor):
    old = issue_token(shopper=visitor)
    new = renew_token(token=token_of(secret=old))
    confirm_token(token=token_of(secret=new))
    assert token_of(secret=old).shopper == visitor
    ends = VisitorToken.objects.order_by("pk").first().ends_at
    assert dt.timedelta(0) < ends - timezone.now() <= dt.timedelta(seconds=60)


def test_tabs_that_ask_at_once_get_one_new_secret(visitor):
    old = issue_token(shopper=visitor)
    tabs = [token_of(secret=old) for _ in range(3)]
    assert [renew_token(token=tab) is None for tab in tabs] == [False, True, True]
    assert VisitorToken.objects.count() == 2


def test_secrets_that_never_came_back_do_not_pile_up(visitor, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "VISITOR_GRACE": 0.0}
    old = issue_token(shopper=visitor)
    for _ in range(10):
        assert renew_token(token=token_of(secret=old)) is not None
    assert VisitorToken.objects.count() <= 2


def test_joining_an_account_ends_every_cookie_of_the_visitor(visitor):
    secrets = [issue_token(shopper=visitor) for _ in range(2)]
    decide_consent(shopper=visitor, decisions={"personalisation": True}, source="test")
    link_visitor(visitor=visitor, account=ensure_shopper(external_id="account"))
    assert [token_of(secret=secret) for secret in secrets] == [None, None]
    late = issue_token(shopper=visitor)  # even one that was issued meanwhile leads nowhere
    assert token_of(secret=late) is None


def test_ended_secrets_name_nobody(visitor):
    secret = issue_token(shopper=visitor)
    end_tokens(shopper=visitor)
    assert token_of(secret=secret) is None
