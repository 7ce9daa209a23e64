"""Visitors join accounts and part again, and keys end when revoked."""

from __future__ import annotations

from shop_reco.users.selectors import key_of, linked_ids
from shop_reco.users.services import create_visitor, decide_consent, issue_key, link_visitor, revoke_key, undo_link


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
