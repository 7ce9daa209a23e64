"""A past list can be computed again, bit for bit, from what is on record; where it cannot, it says why."""

from __future__ import annotations

import datetime as dt
import shutil
import uuid
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from shop_reco.events.models import Event
from shop_reco.events.services import track
from shop_reco.portraits.services import edit_interests
from shop_reco.privacy.services import erase_shopper
from shop_reco.products.services import ProductDraft, import_products
from shop_reco.recommendations import serving
from shop_reco.recommendations.models import ModelVersion, Rule, Slate
from shop_reco.recommendations.services import give_feedback, request_training, set_enabled
from shop_reco.recommendations.serving import slates
from shop_reco.recommendations.serving.memory import memory
from shop_reco.recommendations.serving.replay import Outcome, replay
from shop_reco.recommendations.training import run_next
from shop_reco.users.models import Shopper, ShopperLink
from shop_reco.users.services import decide_consent


def again(served):
    return replay(Slate.objects.get(pk=served.slate_id))


def printed(slate_id):
    out = StringIO()
    call_command("replay_slate", str(slate_id), stdout=out)
    return out.getvalue()


@pytest.fixture
def known(trained, person):
    """A shopper who liked, pinned, hid and looked, in a shop with rules and a product that came after the training."""
    give_feedback(shopper=person, product=trained.products["Soap-2"], kind="like")
    edit_interests(shopper=person, pin=[("brand", "B1")], hide=[("category", "Cheese")])
    track(shopper=person, type="view_item", product=trained.products["Soap-4"])
    Rule.objects.create(action="boost", product=trained.products["Soap-5"], points=0.3)
    Rule.objects.create(action="pin", product=trained.products["Soap-6"], rank=2)
    import_products(
        drafts=[ProductDraft(sku="Tea-new", title="Tea new", category=("Shop", "Tea"), brand="B1", price=Decimal(3))]
    )
    return person


def everything_changes(shop, person):
    for n in (1, 3, 8):
        track(shopper=person, type="view_item", product=shop.products[f"Tea-{n}"])
    give_feedback(shopper=person, product=shop.products["Soap-5"], kind="not_interested")
    give_feedback(shopper=person, product=shop.products["Tea-8"], kind="like")
    edit_interests(shopper=person, clear=[("category", "Cheese"), ("brand", "B1")], block=[("category", "Soap")])
    Rule.objects.all().delete()
    set_enabled(kind="content", enabled=False)
    for kind in ("item_cf", "user_cf", "popularity"):
        request_training(kind=kind)
        assert run_next().state == "done"


def test_lists_are_equal_to_the_bit_after_everything_changed(trained, known):
    lists = [
        serving.recommend_for(shopper=known, first=30),
        serving.recommend_for(shopper=known, first=4),
        serving.buy_again_for(shopper=known),
        serving.similar_to(shopper=known, product=trained.products["Tea-1"]),
        serving.bought_together(shopper=None, products=[trained.products["Tea-1"], trained.products["Soap-2"]]),
        serving.recommend_for(shopper=None, placement="popular"),
    ]
    kinds = {reason.kind for served in lists for edge in served.edges for reason in edge.reasons}
    assert {"PINNED", "RULE", "HISTORY_ITEM", "SIMILAR_SHOPPERS", "FEATURE", "REPEAT"} <= kinds
    assert "Tea-new" in {edge.product.sku for edge in lists[0].edges}
    everything_changes(trained, known)
    memory.forget()
    for served in lists:
        found = again(served)
        assert found.outcome is Outcome.EQUAL, (served, found.why)
        assert len(found.items) == len([edge for edge in served.edges if edge.placed_by != "FILL"]) > 0


def test_a_record_that_was_tampered_with_is_not_equal(trained, known):
    served = serving.recommend_for(shopper=known)
    slate = Slate.objects.get(pk=served.slate_id)
    slate.items[0]["reasons"][0]["points"] += 1e-12
    found = replay(slate)
    assert found.outcome is Outcome.DIFFERENT
    assert [item.equal for item in found.items] == [False] + [True] * (len(slate.items) - 1)


def test_an_event_that_was_on_its_way_is_told_from_one_that_was_seen(trained, known):
    """It arrived before the list was scored and was stored after it; another came by a faster clock and was seen."""

    def view(sku, seconds):
        track(shopper=known, type="view_item", product=trained.products[sku])
        views = Event.objects.filter(shopper=known, product=trained.products[sku], type="view_item")
        assert views.update(received_at=timezone.now() + dt.timedelta(seconds=seconds)) == 1

    view("Tea-3", 20)
    served = serving.recommend_for(shopper=known)
    view("Tea-5", -30)
    assert again(served).outcome is Outcome.EQUAL


def test_who_was_erased_is_used_no_more_and_it_says_so(trained, known):
    served = serving.recommend_for(shopper=known, first=20)
    for name in [f"h{n}" for n in range(3, 30, 3)]:  # all whose taste is the same
        erase_shopper(shopper=Shopper.objects.get(external_id=name))
    assert again(served).outcome is Outcome.ERASED
    erase_shopper(shopper=known)
    with pytest.raises(CommandError, match="erased"):
        printed(served.slate_id)


def test_a_list_that_a_visitor_stood_behind_is_erased_with_them(trained, known):
    visitor = Shopper.objects.create()
    decide_consent(shopper=visitor, decisions={"personalisation": True}, source="test")
    track(shopper=visitor, type="view_item", product=trained.products["Soap-9"])
    link = ShopperLink.objects.create(visitor=visitor, account=known)
    served = serving.recommend_for(shopper=known)
    assert again(served).outcome is Outcome.EQUAL
    link.delete()
    erase_shopper(shopper=visitor)
    assert again(served).outcome is Outcome.ERASED


def test_it_says_what_is_missing(trained, known, settings):
    served = serving.recommend_for(shopper=known, first=30)
    import_products(drafts=[ProductDraft(sku="Tea-new", title="Something else", category=("Shop", "Soap"), brand="B2")])
    assert again(served).outcome is Outcome.CATALOGUE_CHANGED
    Event.objects.filter(shopper=known).first().delete()
    assert again(served).outcome is Outcome.HISTORY_GONE
    unnamed = Slate.objects.get(pk=served.slate_id)
    unnamed.basis = {}
    assert replay(unnamed).outcome is Outcome.NOT_RECORDED


def test_a_list_of_who_withdrew_before_it_was_stored_rests_on_nobody(trained, known):
    slate = Slate.objects.get(pk=serving.recommend_for(shopper=known).slate_id)
    assert slate.basis["people"] == [known.pk]
    slates._keep([slate])
    assert slate.shopper_id == known.pk
    for purpose in ("personalisation", "training", "analytics"):
        decide_consent(shopper=known, decisions={purpose: False}, source="test")
    slates._keep([slate])
    assert slate.shopper_id is None
    assert not slates.OF_PEOPLE & slate.basis.keys()
    assert replay(slate).outcome is Outcome.NOT_RECORDED


def test_a_version_that_is_gone_is_named(trained, person, settings):
    served = serving.recommend_for(shopper=person)
    version = ModelVersion.objects.get(recommender="user_cf", state="live")
    shutil.rmtree(settings.SHOP_RECO["ARTIFACTS_ROOT"] / version.public_id.hex)
    found = again(served)
    assert found.outcome is Outcome.PRUNED
    assert "user_cf" in found.why


def test_the_command_prints_then_beside_today_and_what_changed(trained, known):
    served = serving.recommend_for(shopper=known, first=5)
    everything_changes(trained, known)
    text = printed(served.slate_id)
    assert "replay: equal" in text
    first = served.edges[0]
    assert f"1. {first.product.title}" in text
    assert f"{first.score:10.4f}" in text
    for change in (
        "item_cf: version",
        "content: no part any more",
        "history:",
        "likes: 1, now 2",
        "rules of the shop",
    ):
        assert change in text
    with pytest.raises(CommandError, match="no such list"):
        printed(uuid.uuid4())
