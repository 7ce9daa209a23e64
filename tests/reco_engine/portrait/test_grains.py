"""Each number leads back to the events that it was counted from."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from reco_engine.portrait.builder import draw
from reco_engine.portrait.grains import INTEREST, QUARTER, leads_to
from reco_engine.portrait.portrait import day_and_hour

from .test_builder import histories

ZONE = "America/New_York"


@settings(max_examples=60, deadline=None)
@given(histories, st.data())
def test_the_events_behind_an_interest_add_up_to_it(history, data):
    portrait = draw(history, zone=ZONE)
    keys = [(kind, key) for kind, keys in portrait.interests.items() for key in keys]
    if not keys:
        return
    kind, key = data.draw(st.sampled_from(sorted(keys)))
    behind = [event for event in history if leads_to(event, kind, key)]
    below = [days for each, days in portrait.interests[kind].items() if f"{each} > ".startswith(f"{key} > ")]
    counted = below if kind == "category" else [portrait.interests[kind][key]]
    assert sum(INTEREST[event.type] for event in behind) == sum(sum(days.values()) for days in counted)


@settings(max_examples=60, deadline=None)
@given(histories, st.integers(0, 167))
def test_the_events_behind_an_hour_a_type_a_channel_and_money_add_up_to_them(history, hour):
    portrait = draw(history, zone=ZONE)

    def behind(kind, key):
        hours = [day_and_hour(event.occurred_at // QUARTER, ZONE)[1] for event in history]
        return [event for event, each in zip(history, hours, strict=True) if leads_to(event, kind, key, hour=each)]

    assert len(behind("hour", str(hour))) == portrait.hours.get(hour, 0)
    assert len(behind("type", "purchase")) == portrait.types.get("purchase", 0)
    assert len(behind("channel", "web")) == portrait.channels.get("web", 0)
    money = sum(event.amount if event.type == "purchase" else -event.amount for event in behind("spent", "USD"))
    assert money == sum(portrait.spent.get("USD", {}).values())
