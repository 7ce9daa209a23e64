"""Feedback that staff accepted weighs in the next training, and no other."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.data.interactions import Interactions
from shop_reco.events.cleaning import clean_events
from shop_reco.products.models import Product
from shop_reco.recommendations.learning import Said, accepted_feedback, weighed, with_feedback
from shop_reco.recommendations.models import Feedback
from shop_reco.recommendations.services import give_feedback, request_training, review_feedback
from shop_reco.recommendations.training import run_next
from shop_reco.users.services import create_visitor, decide_consent, link_visitor

FIELDS = ("users", "items", "timestamps", "weights", "user_ids", "item_ids")


@pytest.fixture
def bought():
    """Ann bought tea twice and soap once, Bob tea."""
    return Interactions.from_arrays([1, 1, 1, 2], [10, 10, 20, 10], [1.0, 2.0, 3.0, 4.0])


def pairs(interactions):
    users, items = interactions.user_ids[interactions.users], interactions.item_ids[interactions.items]
    return [(int(u), int(i), float(w)) for u, i, w in zip(users, items, interactions.weights, strict=True)]


def same(one, other):
    return all(getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in FIELDS)


def said(shopper, product, kind, verdict="accepted"):
    feedback = give_feedback(shopper=shopper, product=product, kind=kind)
    if verdict:
        review_feedback(feedback=[feedback], verdict=verdict, by=None)
    return feedback


def learnt(now):
    return with_feedback(clean_events(until=now).interactions)


@pytest.mark.parametrize("kind", ["dislike", "not_interested"])
def test_what_was_refused_is_not_learnt_of_that_shopper_alone(bought, kind):
    left, counts = weighed(bought, [Said(1, 10, kind, 5.0)], like_weight=1.0)
    assert pairs(left) == [(1, 20, 1.0), (2, 10, 1.0)]
    assert counts == {kind: 1, "removed": 2, "added": 0}


def test_a_like_is_an_interaction_of_its_weight_and_moment(bought):
    more, counts = weighed(bought, [Said(2, 30, "like", 2.5)], like_weight=0.7)
    assert pairs(more) == [(1, 10, 1.0), (1, 10, 1.0), (2, 30, 0.7), (1, 20, 1.0), (2, 10, 1.0)]
    assert counts == {"like": 1, "removed": 0, "added": 1}


def test_likes_without_weight_are_left_out(bought):
    assert weighed(bought, [Said(2, 30, "like", 2.5)], like_weight=0.0)[0] is bought


@pytest.mark.parametrize("kind", ["already_have", "wrong_reason"])
def test_what_says_nothing_of_taste_changes_nothing(bought, kind):
    same_, counts = weighed(bought, [Said(1, 10, kind, 5.0)], like_weight=1.0)
    assert same_ is bought
    assert counts == {kind: 1, "removed": 0, "added": 0}


def test_the_order_of_the_feedback_changes_no_byte(bought):
    feedback = [Said(n % 5, 10 * (n % 7), ("like", "dislike")[n % 2], float(n % 3)) for n in range(30)]
    shuffled = [feedback[place] for place in np.random.default_rng(7).permutation(30)]
    assert same(weighed(bought, feedback, like_weight=0.5)[0], weighed(bought, shuffled, like_weight=0.5)[0])


@pytest.mark.parametrize("verdict", [None, "dismissed"])
def test_what_is_open_or_dismissed_changes_nothing(shop, person, verdict):
    plain, _ = learnt(shop.now)
    said(person, shop.products["Tea-0"], "dislike", verdict)
    said(person, shop.products["Soap-1"], "like", verdict)
    told, counts = learnt(shop.now)
    assert same(plain, told)
    assert counts == {"removed": 0, "added": 0}


def test_who_allows_no_training_is_not_learnt_from_by_their_feedback_either(shop, person):
    said(person, shop.products["Soap-1"], "like")
    assert len(accepted_feedback()) == 1
    decide_consent(shopper=person, decisions={"training": False}, source="test")
    assert accepted_feedback() == []


def test_a_like_of_a_sensitive_product_is_not_learnt(shop, person):
    soap = shop.products["Soap-1"]
    said(person, soap, "like")
    soap.category.sensitive = True
    soap.category.save()
    assert accepted_feedback() == []


def test_a_visitors_word_on_a_variant_counts_for_the_account_and_the_parent(shop, person):
    tea, visitor = shop.products["Tea-0"], create_visitor()
    small = Product.objects.create(sku="Tea-0-s", title="small", parent=tea, currency="USD")
    decide_consent(shopper=visitor, decisions={"personalisation": True, "training": True}, source="test")
    said(visitor, small, "dislike")
    link_visitor(visitor=visitor, account=person)
    assert [(each.person, each.product) for each in accepted_feedback()] == [(person.pk, tea.pk)]


def test_a_training_learns_without_what_was_refused_and_says_how_much_that_was(shop, person):
    before, _ = learnt(shop.now)
    tea = shop.products["Tea-0"]
    n = sum((user, item) == (person.pk, tea.pk) for user, item, _ in pairs(before))
    assert n
    said(person, tea, "not_interested")
    assert Feedback.objects.get().review == "accepted"
    request_training(kind="popularity")
    run = run_next()
    assert run.state == "done", run.why
    assert run.cleaning["feedback"] == {"not_interested": 1, "removed": n, "added": 0}
    assert run.version.figures["interactions"] == len(before) - n
