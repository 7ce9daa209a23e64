"""Rows of the admin's first page: recommenders, placements, what waits, how fresh it is, and signs of life."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import Count, Max, OuterRef, Subquery
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shop_reco.events.models import RejectedEvent
from shop_reco.monitoring.health import readiness
from shop_reco.monitoring.selectors import GRAIN, MOST, news
from shop_reco.recommendations.models import CountedDay, Feedback, ModelVersion, Recommender, Slate, TrainingRun
from shop_reco.recommendations.reading import DaysView
from shop_reco.recommendations.selectors import placement_titles

from .dashboard_links import DAY, Links
from .day_charts import whole

RUNGS = {"PERSONAL": "#2563eb", "LAST_GOOD": "#d97706", "POPULAR": "#6b7280", "NEWEST": "#dc2626"}
LATE = dt.timedelta(minutes=30)
"""Without a sign of life for so long, the worker or beat has stopped: it counts every ten minutes."""


@dataclass(frozen=True, slots=True)
class Share:
    """One part of a whole; ``left`` and ``width`` in percent."""

    name: str
    n: int
    colour: str
    left: float
    width: float
    link: str = ""


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of how the machinery does; ``mood`` is success, warning or danger."""

    name: str
    text: str
    mood: str
    link: str = ""


def recommender_rows(links: Links) -> list[dict[str, Any]]:
    """Each recommender with its live version and its last training; three queries."""
    live = {each.recommender_id: each for each in ModelVersion.objects.filter(state=ModelVersion.State.LIVE)}
    newest = TrainingRun.objects.filter(recommender=OuterRef("pk")).order_by("-requested_at", "-pk")
    rows = list(Recommender.objects.annotate(last_run=Subquery(newest.values("pk")[:1])))
    runs = TrainingRun.objects.defer("why", "log", "cleaning").in_bulk([each.last_run for each in rows])
    return [
        {
            "recommender": each,
            "version": live.get(each.kind),
            "run": runs.get(each.last_run),
            "link": links.to("reco_recommendations.recommender"),
            "versions": links.to("reco_recommendations.modelversion", recommender__kind__exact=each.kind),
            "runs": links.to("reco_recommendations.trainingrun", recommender__kind__exact=each.kind),
        }
        for each in rows
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


def placement_rows(view: DaysView, links: Links) -> list[dict[str, Any]]:
    """Lists of each placement, the most first, with how they came about; one query."""
    titles = placement_titles()
    since = dt.datetime.combine(view.days[0].day, dt.time.min, tzinfo=dt.UTC)
    slate = "reco_recommendations.slate"
    rows = []
    for key, found in sorted(view.placements.items(), key=lambda each: -sum(each[1].values())):
        parts = [
            (
                str(Slate.Rung(rung).label),
                found.get(rung, 0),
                colour,
                links.since(slate, "served_at", since, placement=key, rung__exact=rung),
            )
            for rung, colour in RUNGS.items()
        ]
        rows.append(
            {
                "title": titles.get(key, key),
                "n": sum(found.values()),
                "link": links.since(slate, "served_at", since, placement=key),
                "shares": [each for each in shares(parts) if each.n],
            }
        )
    return rows


def shares(parts: Sequence[tuple[str, int, str, str]]) -> list[Share]:
    """Parts of a whole, side by side; none where the whole is nothing."""
    total, left, placed = sum(n for _name, n, _colour, _link in parts), 0.0, []
    for name, n, colour, link in parts if total else ():
        width = 100 * n / total
        placed.append(Share(name, n, colour, round(left, 2), round(width, 2), link))
        left += width
    return placed


def feedback(links: Links) -> list[Share]:
    """What shoppers said and nobody reviewed yet, by kind; one query."""
    waiting = Feedback.objects.filter(review=Feedback.Review.OPEN).order_by()
    counted = dict(waiting.values_list("kind").annotate(n=Count("pk")))
    most = max(counted.values(), default=0) or 1
    model = "reco_recommendations.feedback"
    return [
        Share(
            str(label),
            counted.get(kind, 0),
            "",
            0.0,
            round(100 * counted.get(kind, 0) / most, 2),
            links.to(model, review__exact="open", kind__exact=kind),
        )
        for kind, label in Feedback.Kind.choices
    ]


def freshness(links: Links) -> list[dict[str, Any]]:
    """How old each live version is and how much news it does not know; two queries."""
    now = timezone.now()
    live = list(ModelVersion.objects.filter(state=ModelVersion.State.LIVE).order_by("recommender"))
    fresh = news(watermarks={each.recommender_id: each.watermark for each in live if each.watermark is not None})
    oldest = max((now - (each.promoted_at or each.created_at) for each in live), default=DAY)
    model, rows = "reco_recommendations.modelversion", []
    for each in live:
        since, n = each.promoted_at or each.created_at, fresh.get(each.recommender_id)
        rows.append(
            {
                "name": Recommender(kind=each.recommender_id),
                "since": since,
                "age": timesince(since, now, depth=1),
                "width": round(100 * (now - since) / oldest, 2),
                "link": links.to(model, state__exact="live", recommender__kind__exact=each.recommender_id),
                "news": "-" if n is None else _more(n),
                "news_link": links.since("reco_events.event", "occurred_at", each.watermark + GRAIN)
                if each.watermark
                else "",
            }
        )
    return rows


def _more(n: int) -> str:
    return _("more than %(n)s") % {"n": whole(MOST)} if n > MOST else whole(n)


def running(links: Links) -> list[dict[str, Any]]:
    """Runs that wait or run; one query."""
    states = [TrainingRun.State.QUEUED, TrainingRun.State.RUNNING]
    found = TrainingRun.objects.filter(state__in=states).order_by("requested_at", "pk").select_related("recommender")
    link = links.to("reco_recommendations.trainingrun")
    return [{"run": run, "percent": round(100 * run.progress), "link": link} for run in found]


def signs(links: Links) -> list[Sign]:
    """The checks of readiness, when worker and beat were last heard of, and what was refused today; three queries."""
    names = {
        "database": _("Database"), "migrations": _("Migrations"), "models": _("Models"), "artifacts": _("Artifacts"),
    }  # fmt: skip
    texts = {"ok": _("in order"), "degraded": _("degraded"), "failing": _("failing")}
    moods = {"ok": "success", "degraded": "warning", "failing": "danger"}
    versions = links.to("reco_recommendations.modelversion", state__exact="live")
    found = [
        Sign(names.get(name, name), texts[told], moods[told], versions if name in ("models", "artifacts") else "")
        for name, told in readiness.verdicts().items()
    ]
    counted = CountedDay.objects.aggregate(last=Max("counted_at"))["last"]
    found.append(_alive(_("Worker"), counted, links.to("reco_recommendations.trainingrun")))
    if apps.is_installed("django_celery_beat"):
        beat = apps.get_model("django_celery_beat.PeriodicTask")
        told = beat._default_manager.aggregate(last=Max("last_run_at"))["last"]
        found.append(_alive(_("Schedule"), told, links.to("django_celery_beat.periodictask")))
    if links.shown["reco_events.rejectedevent"]:
        today = dt.datetime.combine(timezone.now().date(), dt.time.min, tzinfo=dt.UTC)
        n = RejectedEvent.objects.filter(received_at__gte=today)[: MOST + 1].count()
        link = links.since("reco_events.rejectedevent", "received_at", today)
        found.append(Sign(_("Events refused today"), _more(n), "warning" if n else "success", link))
    return found


def _alive(name: str, last: dt.datetime | None, link: str) -> Sign:
    if last is None:
        return Sign(name, _("not heard of yet"), "warning", link)
    ago = timezone.now() - last
    text = _("heard of %(time)s ago") % {"time": timesince(last, depth=1)}
    return Sign(name, text, "success" if ago < LATE else "danger", link)
