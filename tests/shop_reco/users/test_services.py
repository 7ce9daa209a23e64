"""Visitors join accounts and part again, and keys end when revoked."""

from __future__ import annotations

from django.utils import timezone

from shop_reco.events.cleaning import training_interactions
from shop_reco.events.models import DirtyShopper, Event
from shop_reco.events.services import track
from shop_reco.portraits.models import Portrait
from shop_reco.portraits.reading import portrait_of
from shop_reco.portraits.services import edit_interests, refresh_dirty
from shop_reco.recommendations.services import give_feedback
from shop_reco.recommendations.serving import recommend_for
from shop_reco.users.models import Shopper, ShopperLink
from shop_reco.users.selectors import all_consenting, consents, decisions_of, key_of, linked_ids
from shop_reco.users.services import (
    create_visitor,
    decide_consent,
    ensure_shopper,
    issue_key,
    link_visitor,
    revoke_key,
    undo_link,
)
from tests.shop_reco.conftest import skus


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


def consenting_visitor(**decisions):
    visitor = create_visitor()
    decide_consent(shopper=visitor, decisions={"personalisation": True, **decisions}, source="test")
    return visitor


def dirty():
    return set(DirtyShopper.objects.values_list("pk", flat=True))


def test_both_sides_are_drawn_anew_when_they_join_and_when_they_part(shop, person):
    visitor = consenting_visitor()
    product = shop.products["Soap-1"]
    track(shopper=visitor, type="view_item", product=product)
    refresh_dirty()
    drawn = portrait_of(shopper=person).interests
    assert dirty() == set()
    link = link_visitor(visitor=visitor, account=person)
    assert dirty() == {visitor.pk, person.pk}
    refresh_dirty()
    assert portrait_of(shopper=person).interests != drawn
    undo_link(link=link)
    assert dirty() == {visitor.pk, person.pk}
    refresh_dirty()
    assert Portrait.objects.get(shopper=person).n_events == 8
    assert Event.objects.get(shopper=visitor).product == product  # nothing was rewritten


def test_joining_and_parting_twice_changes_nothing(shop, person):
    visitor = consenting_visitor()
    links = [link_visitor(visitor=visitor, account=person) for _ in range(2)]
    assert links[0] == links[1]
    undo_link(link=links[0])
    undone_at = ShopperLink.objects.get().undone_at
    undo_link(link=links[0])
    assert ShopperLink.objects.get().undone_at == undone_at


def test_a_visitor_belongs_to_one_account(shop, person):
    visitor = consenting_visitor()
    link_visitor(visitor=visitor, account=person)
    other = Shopper.objects.get(external_id="h1")
    assert link_visitor(visitor=visitor, account=other) is None
    assert linked_ids(shopper=other) == [other.pk]


def test_an_account_that_refuses_personal_lists_takes_no_visitor_in(shop, person):
    decide_consent(shopper=person, decisions={"personalisation": False}, source="test")
    assert link_visitor(visitor=consenting_visitor(), account=person) is None


def test_a_new_account_takes_over_what_the_visitor_decided_and_gives_it_back(db):
    visitor, account = consenting_visitor(analytics=False), ensure_shopper(external_id="new")
    decide_consent(shopper=account, decisions={"analytics": True}, source="test")
    link = link_visitor(visitor=visitor, account=account)
    assert consents(shopper=account) == {"personalisation": True, "training": False, "analytics": True}
    assert decisions_of(shopper=account)["personalisation"].source == "sign-in"
    undo_link(link=link)
    assert consents(shopper=account) == {"personalisation": False, "training": False, "analytics": True}


def test_what_the_account_forbids_counts_for_its_visitors_too(shop, person):
    visitor = consenting_visitor(training=True)
    track(shopper=visitor, type="view_item", product=shop.products["Soap-1"])
    link = link_visitor(visitor=visitor, account=person)
    assert visitor.pk in set(all_consenting(purpose="training"))
    decide_consent(shopper=person, decisions={"training": False}, source="test")
    assert not {visitor.pk, person.pk} & set(all_consenting(purpose="training"))
    assert person.pk not in set(training_interactions(until=timezone.now()).user_ids)
    undo_link(link=link)
    assert visitor.pk in set(all_consenting(purpose="training"))


def test_what_the_visitor_refused_counts_for_the_account(trained, person):
    visitor = consenting_visitor()
    refused = recommend_for(shopper=person, first=1).edges[0].product
    give_feedback(shopper=visitor, product=refused, kind="not_interested")
    edit_interests(shopper=visitor, block=[("category", "Tea")])
    assert refused.sku in skus(recommend_for(shopper=person, first=36))
    link = link_visitor(visitor=visitor, account=person)
    listed = skus(recommend_for(shopper=person, first=36))
    assert refused.sku not in listed
    assert not [sku for sku in listed if sku.startswith("Tea")]
    undo_link(link=link)
    assert refused.sku in skus(recommend_for(shopper=person, first=36))


def test_what_the_visitor_refused_can_be_taken_back_by_the_account(trained, person):
    visitor = consenting_visitor()
    product = trained.products["Soap-1"]
    give_feedback(shopper=visitor, product=product, kind="not_interested")
    link_visitor(visitor=visitor, account=person)
    assert product.sku not in skus(recommend_for(shopper=person, first=36))
    give_feedback(shopper=person, product=product, kind="like")
    assert product.sku in skus(recommend_for(shopper=person, first=36))
