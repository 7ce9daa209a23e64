"""A shopper's history as its page shows it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.dateparse import parse_datetime

from shop_reco.api.documents import DocumentError, run
from shop_reco.events.models import Event
from shop_reco.recommendations.models import Feedback

SIZE, SEEN = 50, "VIEW_ITEM_LIST"


def history_shown(request: HttpRequest) -> dict[str, Any]:
    """A page of what they did, by day, and what they said; a cursor of nothing gives the first page.

    Lists that came into view are counted: each for itself would hide the rest.
    """
    wish, after = {"first": SIZE}, request.GET.get("after")
    try:
        found = run(request, "history", wish | ({"after": after} if after else {}))
    except DocumentError:
        found = run(request, "history", wish)
    events = [edge["node"] for edge in found["history"]["edges"]]
    lists: dict[Any, int] = {}
    names, kinds = dict(Event.Type.choices), dict(Feedback.Kind.choices)
    for each in events:
        each["name"], each["when"] = names[each["type"].lower()], parse_datetime(each["occurredAt"])
        each["day"] = each["when"].date()
        lists[each["day"]] = lists.get(each["day"], 0) + (each["type"] == SEEN)
    days = [
        {"day": day, "lists": n, "events": [each for each in events if each["day"] == day and each["type"] != SEEN]}
        for day, n in lists.items()
    ]
    for each in found["feedback"]:
        each["name"] = kinds[each["kind"].lower()]
    info = found["history"]["pageInfo"]
    return {
        "days": days,
        "feedback": [] if after else found["feedback"],
        "more": info["endCursor"] if info["hasNextPage"] else "",
    }
