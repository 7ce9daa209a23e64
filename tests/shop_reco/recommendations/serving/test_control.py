"""A few of those who allow personal lists get the other list, so that the difference is a measured effect."""

from __future__ import annotations

import uuid

import pytest

from shop_reco.events.services import track
from shop_reco.recommendations import serving
from shop_reco.recommendations.models import Slate
from shop_reco.recommendations.serving.asking import is_control
from shop_reco.users.models import Shopper, ShopperLink
from shop_reco.users.services import decide_consent
from tests.shop_reco.conftest import skus


@pytest.fixture
def share(settings):
    def set_(value):
        settings.SHOP_RECO = {**settings.SHOP_RECO, "CONTROL_SHARE": value}

    return set_


def test_the_control_group_gets_the_strangers_list_and_is_marked(trained, person, share):
    share(1.0)
    track(shopper=person, type="view_item", product=trained.products["Soap-1"])
    served = serving.recommend_for(shopper=person, first=20)
    assert skus(served) == skus(serving.recommend_for(shopper=None, first=20))
    assert (served.personalised, served.rung) == (False, "POPULAR")
    assert Slate.objects.get(pk=served.slate_id).control
    assert not Slate.objects.filter(shopper=None, control=True).exists()
    assert serving.buy_again_for(shopper=person).edges  # what they buy again is no discovery
    share(0.0)
    assert serving.recommend_for(shopper=person).personalised


def test_who_allows_no_personal_list_is_no_control(trained, person, share):
    share(1.0)
    decide_consent(shopper=person, decisions={"personalisation": False}, source="test")
    assert not Slate.objects.get(pk=serving.recommend_for(shopper=person).slate_id).control


def test_the_share_is_the_share_and_stays_the_same_people(db, share):
    people = [uuid.UUID(int=n) for n in range(4000)]
    share(0.05)
    few = {each for each in people if is_control(each)}
    assert 140 <= len(few) <= 260
    share(0.5)
    assert few < {each for each in people if is_control(each)}


def test_a_visitor_counts_as_the_account_that_they_are(trained, person, share):
    share(0.5)
    accounts = list(Shopper.objects.filter(external_id__isnull=False))
    visitor = Shopper.objects.create()
    decide_consent(shopper=visitor, decisions={"personalisation": True}, source="test")
    account = next(each for each in accounts if is_control(each.public_id) != is_control(visitor.public_id))
    ShopperLink.objects.create(visitor=visitor, account=account)
    both = [Slate.objects.get(pk=serving.recommend_for(shopper=each).slate_id) for each in (visitor, account)]
    assert both[0].control == both[1].control == is_control(account.public_id)


def test_the_policy_tells_them_so(trained, person, share):
    share(1.0)
    policy = serving.policy_for(shopper=person)
    told = {each.name: each.text for each in policy.parameters}
    assert not policy.personalised
    assert "Nothing that you did is used" in told["control"]
    assert "personalisation" not in told
    assert "history" not in told
