"""A portrait is the same however its events arrive: in any order, in any parts, folded or not."""

from __future__ import annotations

import datetime as dt
import json
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reco_engine.portrait import portrait as stored
from reco_engine.portrait.builder import draw, merged
from reco_engine.portrait.grains import PortraitEvent, counts_from_json, counts_to_json, folded, together
from reco_engine.portrait.portrait import Portrait, Silence

START = 1_710_000_000  # March 2024, just before clocks go forward in America and Europe
ZONES = ("UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")
events = st.builds(
    PortraitEvent,
    type=st.sampled_from(["purchase", "refund", "view_item", "search", "add_to_cart", "view_item_list"]),
    occurred_at=st.integers(START, START + 700 * 86_400),
    category=st.sampled_from([(), ("Food",), ("Food", "Tea"), ("Food", "Tea", "Green"), ("Home", "Soap")]),
    brand=st.sampled_from(["", "B1", "B2"]),
    text=st.sampled_from(["", "green tea", "龙井绿茶", "soap of roses"]),
    quantity=st.integers(1, 5),
    amount=st.integers(0, 99_999),
    currency=st.sampled_from(["USD", "CNY"]),
    channel=st.sampled_from(["web", "store", ""]),
    order=st.sampled_from(["", "o1", "o2", "o3"]),
)
histories = st.lists(events, max_size=40)
silences = st.sampled_from([Silence(), Silence(frozenset({"Food > Tea"}), frozenset({"tea"}))])


def written(portrait):
    return json.dumps(portrait.to_json())


@pytest.fixture(params=[None, 3], ids=["roomy", "tight"], autouse=True)
def bounds(request, monkeypatch):
    """What is kept is the same with bounds that no history reaches and with bounds that most do."""
    if request.param is not None:
        monkeypatch.setattr(stored, "KEPT", dict.fromkeys(stored.KEPT, request.param))
        monkeypatch.setattr(stored, "KEPT_DAYS", request.param)
        monkeypatch.setattr(stored, "KEPT_ORDERS", request.param)


@settings(max_examples=60, deadline=None)
@given(histories, st.randoms(use_true_random=False), st.sampled_from(ZONES), silences)
def test_any_order_gives_the_same_bytes(history, random, zone, silence):
    whole = written(draw(history, zone=zone, silence=silence))
    shuffled = list(history)
    random.shuffle(shuffled)
    one_by_one = Portrait(zone=zone)
    for event in shuffled:
        one_by_one.add(event, silence)
        if random.random() < 0.2:
            one_by_one = Portrait.from_json(json.loads(written(one_by_one)))
    assert written(one_by_one) == whole


@settings(max_examples=60, deadline=None)
@given(histories, st.lists(st.integers(0, 3), min_size=40, max_size=40), st.sampled_from(ZONES))
def test_parts_add_up_to_the_whole(history, places, zone):
    parts = [[event for event, place in zip(history, places, strict=False) if place == n] for n in range(4)]
    portraits = [draw(part, zone=zone) for part in parts]
    assert written(merged(*portraits)) == written(draw(history, zone=zone))
    left = merged(merged(portraits[3], portraits[0]), merged(portraits[2], portraits[1]))
    assert written(left) == written(draw(history, zone=zone))


@settings(max_examples=60, deadline=None)
@given(histories, st.lists(st.integers(0, 2), min_size=40, max_size=40), st.sampled_from(ZONES), silences)
def test_what_was_folded_counts_as_its_events_did_in_every_zone(history, places, zone, silence):
    first, second, kept = (
        [event for event, place in zip(history, places, strict=False) if place == n] for n in range(3)
    )
    counts = counts_from_json(json.loads(json.dumps(counts_to_json(together(folded(first), folded(second))))))
    assert written(draw(kept, zone=zone, folded=[counts], silence=silence)) == written(
        draw(history, zone=zone, silence=silence)
    )


def test_portraits_of_two_zones_cannot_be_added_up():
    with pytest.raises(ValueError, match="cannot be added up"):
        merged(Portrait(zone="UTC"), Portrait(zone="Asia/Tokyo"))


def test_hours_follow_the_clocks_of_the_shopper_through_a_change_of_time():
    zone = ZoneInfo("Europe/Berlin")
    before = dt.datetime(2024, 3, 30, 9, 10, tzinfo=zone)  # a Saturday; the clocks went forward that night
    after = dt.datetime(2024, 4, 6, 9, 10, tzinfo=zone)
    looks = [PortraitEvent(type="view_item", occurred_at=int(each.timestamp())) for each in (before, after)]
    assert draw(looks, zone="Europe/Berlin").hours == {5 * 24 + 9: 2}
    assert draw(looks, zone="UTC").hours == {5 * 24 + 8: 1, 5 * 24 + 7: 1}


def test_a_refund_before_its_purchase_takes_the_money_back_all_the_same():
    refund = PortraitEvent(type="refund", occurred_at=START, quantity=2, amount=500, currency="USD")
    purchase = PortraitEvent(type="purchase", occurred_at=START - 900, quantity=2, amount=500, currency="USD")
    portrait = draw([refund, purchase])
    assert sum(portrait.spent["USD"].values()) == 0
    assert (portrait.returned, sum(portrait.bought.values())) == (2, 2)


def test_a_silent_category_leaves_money_and_hours_and_nothing_that_names_it():
    event = PortraitEvent(
        type="purchase", occurred_at=START, category=("Health", "Tests"), brand="Sure", text="pregnancy test",
        amount=900, currency="USD", order="o1",
    )  # fmt: skip
    portrait = draw([event], silence=Silence(frozenset({"Health"})))
    assert portrait.interests == {}
    assert portrait.prices == {}
    assert sum(portrait.spent["USD"].values()) == 900
    told = json.dumps(draw([event]).to_json())
    silent = json.dumps(portrait.to_json())
    for word in ("Health", "Tests", "Sure", "pregnancy"):
        assert word in told
        assert word not in silent


def test_a_very_long_history_stays_small():
    many = (
        PortraitEvent(
            type="purchase", occurred_at=START + n // 3 * 10_713, category=("Food", f"c{n % 50}"), brand=f"b{n % 40}",
            text=f"word{n % 3000} thing{n}", amount=n, currency="USD", order=f"o{n // 3}",
        )
        for n in range(30_000)
    )  # fmt: skip
    portrait = draw(many)
    assert portrait.to_json()["older"]["orders"] + len(portrait.orders) == 10_000
    assert len(written(portrait)) < 300_000
    assert sum(portrait.spent["USD"].values()) + portrait.older["spent:USD"] == sum(range(30_000))
