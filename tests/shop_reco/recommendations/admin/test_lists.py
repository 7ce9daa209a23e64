"""Staff set up the places of the shop and its rules, and are told what cannot be."""

from __future__ import annotations

import pytest

from shop_reco.products.models import Category
from shop_reco.recommendations.models import Placement, Rule
from shop_reco.recommendations.serving import recommend_for
from shop_reco.recommendations.serving.memory import Memory

PLACEMENTS, RULES = "/admin/reco_recommendations/placement/", "/admin/reco_recommendations/rule/"
SPOT = {
    "title": "For you", "strategy": "personal", "size": "", "reasons": "3", "repeats": "after", "repeat_days": "10",
    "fallback": "newest", "diversity": "0.5", "diversity_cost": "0.1", "least_chance": "0", "exploration": "0.1",
}  # fmt: skip


def test_a_placement_is_set_up_and_every_process_knows_at_its_next_request(staff, shop):
    other = Memory()
    before = other.models().placements["home"]
    reply = staff.post(f"{PLACEMENTS}home/change/", {**SPOT, "switched_off": ["user_cf", "content"]})
    assert reply.status_code == 302
    after = other.models().placements["home"]
    assert (before.switched_off, before.exploration) == ([], 0.0)
    assert (after.switched_off, after.exploration, after.repeats) == (["user_cf", "content"], 0.1, "after")


@pytest.mark.parametrize(
    ("field", "value"), [("exploration", "0.6"), ("diversity", "1.5"), ("least_chance", "-1"), ("switched_off", "no")]
)
def test_a_placement_that_cannot_be_is_refused_at_its_field(staff, shop, field, value):
    reply = staff.post(f"{PLACEMENTS}home/change/", {**SPOT, field: value})
    assert reply.status_code == 200
    assert list(reply.context["adminform"].form.errors) == [field]
    assert Placement.objects.get(key="home").exploration == 0.0


@pytest.mark.parametrize(
    ("target", "fine"),
    [
        ({"tag": "sale"}, True),
        ({"price_min": "3"}, True),
        ({"price_min": "3", "price_max": "5"}, True),
        ({"price_min": "5", "price_max": "3"}, False),
        ({"tag": "sale", "price_min": "3"}, False),
        ({}, False),
    ],
)
def test_a_rule_has_one_target(staff, shop, target, fine):
    rule = {"action": "boost", "points": "-1", "active": "on", **target}
    assert (staff.post(f"{RULES}add/", rule).status_code == 302) == fine
    assert Rule.objects.count() == fine


def test_a_rule_that_somebody_else_writes_or_that_goes_with_its_category_is_known_as_well(shop):
    memory = Memory()
    memory.models()
    empty = Category.objects.create(name="Empty", path="Empty", slug="empty")
    Rule.objects.create(action="hide", category=empty)
    assert len(memory.models().rules) == 1
    empty.delete()
    assert memory.models().rules == ()


def test_lists_are_found_by_placement_by_their_number_and_by_the_exact_name_of_a_shopper(trained, person, staff):
    served = recommend_for(shopper=person, first=5)
    recommend_for(shopper=None, first=5)

    def found(**question):
        page = staff.get("/admin/reco_recommendations/slate/", question)
        return {each.pk for each in page.context["cl"].result_list}

    assert found(q="h0") == found(q=str(served.slate_id)) == {served.slate_id}
    assert found(q="h") == found(placement="search") == set()
    assert len(found(placement="home")) == 2
