"""An erasure and whoever else writes of the same people wait for each other, and never in a circle."""

from __future__ import annotations

import threading
import time
from functools import partial

import pytest
from django.db import OperationalError, connection, transaction

from shop_reco.portraits.services import refresh_dirty
from shop_reco.privacy import services
from shop_reco.privacy.services import erase_shopper
from shop_reco.users.models import Shopper, ShopperLink
from shop_reco.users.selectors import linked_ids
from shop_reco.users.services import create_visitor, decide_consent, link_visitor, undo_link
from tests.threads import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time, whatever we do"),
]


def consenting():
    person = create_visitor()
    decide_consent(shopper=person, decisions={"personalisation": True}, source="test")
    return person


def pair(*, account_first):
    """An account and its visitor; which was made first is which has the smaller key."""
    one, other = consenting(), consenting()
    account, visitor = (one, other) if account_first else (other, one)
    Shopper.objects.filter(pk=account.pk).update(external_id=f"account-{account.pk}")
    account.refresh_from_db()
    return account, link_visitor(visitor=visitor, account=account)


def met_by_whoever_locks_by_key(account, link):
    """Erase while another transaction has locked the first of the two and is about to lock the second."""
    first, second = sorted([link.visitor_id, link.account_id])
    holds = threading.Event()

    def by_key():
        with transaction.atomic():
            list(Shopper.objects.select_for_update().filter(pk=first))
            holds.set()
            time.sleep(0.3)
            list(Shopper.objects.select_for_update().filter(pk=second))

    def erased():
        holds.wait(10)
        erase_shopper(shopper=account)

    at_once(by_key, erased)
    return Shopper.objects.filter(pk__in=[first, second]).count()


@pytest.mark.parametrize("account_first", [True, False])
def test_an_erasure_locks_in_the_order_that_everyone_else_does(account_first):
    assert met_by_whoever_locks_by_key(*pair(account_first=account_first)) == 0


def test_an_erasure_that_locked_the_account_first_would_stand_in_a_circle(monkeypatch):
    def account_first(shopper):
        list(Shopper.objects.select_for_update().filter(pk=shopper.pk))
        return list(Shopper.objects.select_for_update().filter(pk__in=linked_ids(shopper=shopper)).order_by("pk"))

    monkeypatch.setattr(services, "_hold", account_first)
    with pytest.raises(OperationalError, match="deadlock"):
        met_by_whoever_locks_by_key(*pair(account_first=False))


@pytest.mark.parametrize("account_first", [True, False])
def test_fifty_erasures_meet_partings_and_portraits_in_no_deadlock(account_first):
    for _ in range(50):
        account, link = pair(account_first=account_first)
        at_once(partial(erase_shopper, shopper=account), partial(undo_link, link=link), refresh_dirty)
        assert not Shopper.objects.filter(pk=account.pk).exists()
        assert not ShopperLink.objects.exists()


def test_a_visitor_who_is_joined_while_the_erasure_waits_goes_too():
    visitor, (account, _) = consenting(), pair(account_first=True)
    assert visitor.pk < account.pk
    linked = threading.Event()

    def join():
        with transaction.atomic():
            assert link_visitor(visitor=visitor, account=account) is not None
            linked.set()
            time.sleep(0.3)

    def erased():
        linked.wait(10)
        erase_shopper(shopper=account)

    at_once(join, erased)
    assert not Shopper.objects.exists()
