"""Rules that speak of the same products at the same time."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from shop_reco.products.models import Category
from shop_reco.recommendations.models import Rule
from shop_reco.recommendations.serving import conflicts_of


@pytest.fixture
def rules(trained):
    tea, soap = (Category.objects.get(name=name) for name in ("Tea", "Soap"))

    def make(action, **fields):
        about = fields.pop("about", "tea")
        target = {"tea": {"category": tea}, "soap": {"category": soap}}.get(about) or {
            "product": trained.products[about]
        }
        return Rule(action=action, **target, **fields)

    return make


@pytest.mark.parametrize(
    ("there", "mine", "found"),
    [
        (("boost", {"points": 1}), ("boost", {"points": 2}), [("adds", 12)]),
        (("boost", {"points": 1}), ("boost", {"points": -2}), [("against", 12)]),
        (("boost", {"points": 1}), ("hide", {}), [("hidden", 12)]),
        (("boost", {"points": -1}), ("hide", {}), []),
        (("hide", {}), ("pin", {"about": "Tea-3", "rank": 1}), [("hidden", 1)]),
        (("hide", {}), ("hide", {}), []),
        (("pin", {"about": "Tea-3", "rank": 1}), ("pin", {"about": "Soap-3", "rank": 1}), [("rank", 0)]),
        (("pin", {"about": "Tea-3", "rank": 1}), ("pin", {"about": "Tea-3", "rank": 2}), [("twice", 1)]),
        (("boost", {"points": 1, "about": "soap"}), ("boost", {"points": 2}), []),
        (("boost", {"points": 1, "active": False}), ("boost", {"points": 2}), []),
        (("boost", {"points": 1, "placement_id": "home"}), ("boost", {"points": 2, "placement_id": "popular"}), []),
        (("boost", {"points": 1, "placement_id": "home"}), ("boost", {"points": 2}), [("adds", 12)]),
    ],
)
def test_two_rules(rules, there, mine, found):
    other = rules(there[0], **there[1])
    other.save()
    assert [(each.kind, each.n_products) for each in conflicts_of(rules(mine[0], **mine[1]))] == found
    assert {each.rule.pk for each in conflicts_of(rules(mine[0], **mine[1]))} <= {other.pk}


def test_rules_at_other_times_do_not_meet(rules):
    now, day = timezone.now(), dt.timedelta(days=1)
    rules("boost", points=1, starts_at=now, ends_at=now + day).save()
    assert conflicts_of(rules("boost", points=1, starts_at=now + day)) == []
    assert conflicts_of(rules("boost", points=1, ends_at=now + day)) != []


def test_a_rule_is_not_in_its_own_way(rules):
    rule = rules("boost", points=1)
    rule.save()
    assert conflicts_of(rule) == []
