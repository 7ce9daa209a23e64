"""A shopper of whom everything is known that can be: canaries in every text."""

from __future__ import annotations

import datetime as dt
import uuid
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from shop_reco.events.flags import Suspicion, raise_flags
from shop_reco.events.models import Event
from shop_reco.events.services import Sender, record_events
from shop_reco.portraits.folding import fold_events
from shop_reco.portraits.services import edit_interests, refresh_dirty
from shop_reco.recommendations.models import ShopperAnswers, Slate, TrainingRun
from shop_reco.recommendations.services import give_feedback, keep_cleaning_report, review_feedback
from shop_reco.recommendations.serving import recommend_for
from shop_reco.users.models import Shopper
from shop_reco.users.services import create_visitor, decide_consent, link_visitor, note_read
from shop_reco.users.visitors import issue_token


@pytest.fixture
def known(trained):
    """``shopper`` with a linked ``visitor``, an account, and ``canaries`` that stand for them in the database."""
    trace = uuid.uuid4().hex[:10]
    name, search, review = f"customer-{trace}", f"search{trace}", f"review{trace}"
    user = User.objects.create_user("login of the host")
    shopper = Shopper.objects.create(external_id=name, user=user, region=f"region{trace}")
    visitor = create_visitor()
    for each in (shopper, visitor):
        decide_consent(
            shopper=each, decisions={"personalisation": True, "training": True, "analytics": True}, source="test"
        )
    link_visitor(visitor=visitor, account=shopper)
    issue_token(shopper=visitor)
    product = trained.products["Tea-1"]
    events = [
        {"type": "purchase", "sku": "Tea-1", "order": f"order{trace}", "price": "2.50", "currency": "USD"},
        {"type": "review", "sku": "Tea-2", "text": review},
        {"type": "search", "query": search},
    ]
    stored = record_events(
        events=[{"id": uuid.uuid4(), **event} for event in events], shopper=shopper, sender=Sender.SERVER
    )
    refresh_dirty()
    looked = record_events(
        events=[
            {"id": uuid.uuid4(), "type": "view_item", "sku": "Soap-3"},
            {"id": uuid.uuid4(), "type": "view_item", "sku": f"unknown{trace}"},
        ],
        shopper=visitor,
        sender=Sender.SERVER,
    )
    assert (stored.accepted, looked.accepted, len(looked.rejected)) == (3, 1, 1)
    Event.objects.create(
        id=uuid.uuid4(), shopper=shopper, type="search", query=search, digest=trace,
        occurred_at=timezone.now() - dt.timedelta(days=40), received_at=timezone.now(),
    )  # fmt: skip
    fold_events(now=timezone.now())
    evidence = {"product": product.pk, "events": 3}
    raise_flags(suspicions=[Suspicion(shopper.pk, "hammering", f"{product.pk}/1", evidence)])
    edit_interests(shopper=shopper, pin=[("keyword", f"word{trace}")])
    said = give_feedback(shopper=shopper, product=product, kind="like")
    review_feedback(feedback=[said], verdict="accepted", by=None)
    example = Event.objects.filter(shopper=shopper).first()
    report = {"rules": [{"name": "near_duplicates", "dropped": 1, "changed": 0, "examples": [str(example.pk)]}]}
    run = TrainingRun.objects.create(recommender_id="popularity", state="running", owner=uuid.uuid4())
    keep_cleaning_report(run=run, report=report)
    TrainingRun.objects.filter(pk=run.pk).update(state="done")
    recommend_for(shopper=shopper, first=5)
    assert Slate.objects.filter(shopper=shopper).exists()
    ShopperAnswers.objects.create(shopper=shopper, day=timezone.now().date())
    staff = User.objects.create_user("clerk", is_staff=True)
    note_read(shopper_id=shopper.pk, staff=staff, what="portrait", why=f"complaint{trace}")
    ids = [each.public_id for each in (shopper, visitor)]
    return SimpleNamespace(
        shopper=shopper,
        visitor=visitor,
        user=user,
        staff=staff,
        product=product,
        trace=trace,
        name=name,
        canaries=[trace, *(form for each in ids for form in (each.hex, str(each)))],
        made_at=timezone.now(),
    )
