"""A portrait as its page shows it: names in the language of the request, bars and charts."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format

from shop_reco.events.models import Event
from shop_reco.portraits.charts import portrait_charts
from shop_reco.portraits.models import PortraitEdit

SHOWN = 8
"""Interests of each kind that the page shows at once, those that the shopper edited first."""


def portrait_shown(drawn: dict[str, Any], currency: str) -> dict[str, Any]:
    """What goes around the portrait that GraphQL answered with; its counts get names, its interests shares."""
    name_counts(drawn["eventCounts"], dict(Event.Type.choices))
    name_counts(drawn["channelCounts"], dict(Event.Channel.choices))
    strongest = max((each["weight"] for each in drawn["interests"]), default=0) or 1
    for each in drawn["interests"]:
        each["share"] = round(100 * each["weight"] / strongest)
    kinds: list[dict[str, Any]] = []
    for kind, label in PortraitEdit.Kind.choices:
        these = sorted(
            (each for each in drawn["interests"] if each["kind"] == kind), key=lambda each: not each["state"]
        )
        kinds.append({"name": str(label), "interests": these[:SHOWN], "rest": these[SHOWN:]})
    charts = portrait_charts(
        interests=[(each["kind"], each["name"], each["above"], each["weight"]) for each in drawn["interests"]],
        hours=drawn["hoursOfWeek"],
        months=[(dt.date.fromisoformat(each["month"]), Decimal(each["amount"])) for each in drawn["months"]],
        currency=currency,
    )
    return {"kinds": kinds, "charts": charts}


def evidence_shown(found: dict[str, Any]) -> dict[str, Any]:
    names = dict(Event.Type.choices)
    name_counts(found["counts"], names)
    for each in found["events"]:
        each["name"], each["when"] = names[each["type"].lower()], parse_datetime(each["occurredAt"])
    return found


def evidence_name(kind: str, key: str) -> str:
    """What the number is called."""
    if kind in ("type", "channel"):
        choices = Event.Type.choices if kind == "type" else Event.Channel.choices
        return str(dict(choices).get(key, key))
    if kind == "spent" and ":" in key:
        currency, _, month = key.partition(":")
        try:
            first = dt.date.fromisoformat(f"{month}-01")
        except ValueError:
            return key
        return f"{date_format(first, 'YEAR_MONTH_FORMAT')}, {currency}"
    if kind == "hour" and key.isdecimal() and int(key) < 168:
        return f"{WEEKDAYS[int(key) // 24]}, {int(key) % 24}:00"
    return key


def name_counts(counts: list[dict[str, Any]], names: dict[Any, Any]) -> None:
    for each in counts:
        each["name"] = names.get(each["key"], each["key"])
