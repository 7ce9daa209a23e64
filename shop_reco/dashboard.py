"""What the admin's first page tells: whether the recommendations work, at a glance."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import Count
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shop_reco.events.models import Event
from shop_reco.recommendations.models import Feedback, ModelVersion, Placement, Recommender, Slate, TrainingRun
from shop_reco.users.models import Consent
from shop_reco.users.selectors import all_consenting, last_refusal

from .answer_charts import answers_board

DAYS = 28
WEEK = dt.timedelta(days=7)
KEPT = 60  # seconds that the counts of events are kept, since they scan a long table
CHART = (560, 160)  # width and height of the drawing area, in svg units
RUNGS = {"PERSONAL": "#2563eb", "LAST_GOOD": "#d97706", "POPULAR": "#6b7280", "NEWEST": "#dc2626"}


@dataclass(frozen=True, slots=True)
class Column:
    """One bar of a chart, in svg units, with what a screen reader and a tooltip say."""

    x: float
    y: float
    width: float
    height: float
    text: str


@dataclass(frozen=True, slots=True)
class Share:
    """One part of a whole; ``left`` and ``width`` in percent."""

    name: str
    n: int
    colour: str
    left: float
    width: float


def dashboard(*, shown: Mapping[str, bool]) -> dict[str, Any]:
    """Charts and rows for those models that the person may view (``shown``, by label)."""
    board: dict[str, Any] = {}
    if shown["reco_recommendations.recommender"]:
        board["recommenders"] = rows = recommender_rows()
        board["verdicts"] = verdicts(rows)
    if shown["reco_events.event"]:
        board["events"] = event_chart()
    if shown["reco_recommendations.slate"]:
        board["rungs"] = rungs()
        if shown["reco_events.event"]:
            board["answers"] = answers_board()
    if shown["reco_recommendations.feedback"]:
        board["feedback"] = feedback()
    return {**board, "days": DAYS, "width": CHART[0], "height": CHART[1]}


def event_chart() -> dict[str, Any]:
    key = f"shop_reco.events_per_day.{_countable()}"
    days = cache.get(key)
    if days is None:
        days = events_per_day()
        cache.set(key, days, KEPT)
    counts = [n for _day, n in days]
    return {"columns": columns(days), "n": sum(counts), "most": max(counts), "first": days[0][0], "last": days[-1][0]}


def _countable() -> int:
    """Changes with each withdrawal, so that no count is kept that has whoever withdrew in it."""
    return last_refusal(purpose=Consent.Purpose.ANALYTICS)


def events_per_day() -> list[tuple[dt.date, int]]:
    """How many events of shoppers who allow it happened on each of the last DAYS days; one query."""
    today = timezone.localdate()
    first = today - dt.timedelta(days=DAYS - 1)
    since = timezone.make_aware(dt.datetime.combine(first, dt.time.min))
    counted = dict(
        Event.objects.filter(occurred_at__gte=since, shopper__in=all_consenting(purpose=Consent.Purpose.ANALYTICS))
        .order_by()
        .values_list(TruncDate("occurred_at"))
        .annotate(n=Count("pk"))
    )
    return [(day, counted.get(day, 0)) for day in (first + dt.timedelta(days=k) for k in range(DAYS))]


def columns(days: Sequence[tuple[dt.date, int]]) -> list[Column]:
    """The bars of a chart of ``days``, the highest as high as the drawing area."""
    most = max((n for _day, n in days), default=0) or 1
    step = CHART[0] / max(len(days), 1)
    return [
        Column(
            x=round(k * step + step * 0.1, 1),
            y=round(CHART[1] * (1 - n / most), 1),
            width=round(step * 0.8, 1),
            height=round(CHART[1] * n / most, 1),
            text=f"{date_format(day)}: {n}",
        )
        for k, (day, n) in enumerate(days)
    ]


def rungs() -> list[Share]:
    """Personal lists of the last week by the rung that served them; one query."""
    # lists that are never personal would look like failures: an empty "Buy again" has the lowest rung
    personal = Placement.objects.filter(strategy=Placement.Strategy.PERSONAL).values("key")
    lists = Slate.objects.filter(served_at__gte=timezone.now() - WEEK, placement__in=personal)
    found = dict(lists.order_by().values_list("rung").annotate(n=Count("pk")))
    return shares([(str(Slate.Rung(rung).label), found.get(rung, 0), colour) for rung, colour in RUNGS.items()])


def shares(parts: Sequence[tuple[str, int, str]]) -> list[Share]:
    """Parts of a whole, side by side; none where the whole is nothing."""
    total, left, placed = sum(n for _name, n, _colour in parts), 0.0, []
    for name, n, colour in parts if total else ():
        width = 100 * n / total
        placed.append(Share(name, n, colour, round(left, 2), round(width, 2)))
        left += width
    return placed


def feedback() -> list[Share]:
    """What shoppers said, by kind, and how much of it waits for a review; one query."""
    counted = dict(Feedback.objects.order_by().values_list("kind").annotate(n=Count("pk")))
    most = max(counted.values(), default=0) or 1
    return [
        Share(str(label), counted.get(kind, 0), "", 0.0, round(100 * counted.get(kind, 0) / most, 2))
        for kind, label in Feedback.Kind.choices
    ]


def recommender_rows() -> list[dict[str, Any]]:
    """Each recommender with its live version and its last training; three queries."""
    live = {each.recommender_id: each for each in ModelVersion.objects.filter(state=ModelVersion.State.LIVE)}
    last: dict[str, TrainingRun] = {}
    for run in TrainingRun.objects.order_by("requested_at", "pk").defer("why"):
        last[run.recommender_id] = run
    return [
        {"recommender": each, "version": live.get(each.kind), "run": last.get(each.kind)}
        for each in Recommender.objects.all()
    ]


def verdicts(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Sentences that say how it goes, each with how good that is: good, bad, off or busy."""
    on = [each for each in rows if each["recommender"].enabled]
    serving = [each for each in on if each["version"]]
    failed = [str(each["recommender"]) for each in rows if each["run"] and each["run"].state == "failed"]
    busy = [str(each["recommender"]) for each in rows if each["run"] and each["run"].state in ("queued", "running")]
    told = []
    if not on:
        told.append(("bad", _("Every recommender is switched off: shoppers see the newest products.")))
    elif not serving:
        told.append(("bad", _("Nothing that is switched on has been trained: shoppers see the newest products.")))
    else:
        text = ngettext("%(n)s recommender serves.", "%(n)s recommenders serve.", len(serving))
        told.append(("good", text % {"n": len(serving)}))
    if on and len(on) < len(rows):
        off = ", ".join(str(each["recommender"]) for each in rows if not each["recommender"].enabled)
        text = _("%(n)s of %(all)s recommenders are on; switched off: %(kinds)s.")
        told.append(("off", text % {"n": len(on), "all": len(rows), "kinds": off}))
    if failed:
        told.append(("bad", _("The last training failed: %(kinds)s.") % {"kinds": ", ".join(failed)}))
    if busy:
        told.append(("busy", _("Training or waiting for it: %(kinds)s.") % {"kinds": ", ".join(busy)}))
    return told
