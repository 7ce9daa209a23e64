"""What the admin's first page tells: whether the recommendations work, at a glance, each number with what is behind it.

It reads what the worker has counted (see ``recommendations.services.answers``), a few hundred rows whatever the size of
the shop, and never the log of events or the lists themselves.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.db.models import Count, Max, OuterRef, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shop_reco.conf import reco_settings
from shop_reco.events.models import RejectedEvent
from shop_reco.monitoring.health import readiness
from shop_reco.monitoring.selectors import GRAIN, MOST, news
from shop_reco.recommendations.models import (
    Arm,
    CountedDay,
    Feedback,
    ModelVersion,
    Recommender,
    Slate,
    TrainingRun,
)
from shop_reco.recommendations.reading import Day, DaysView, Fall, Trend, days_view
from shop_reco.recommendations.selectors import placement_titles

from .answer_charts import COLOURS, answers_board, per_hundred
from .day_charts import DayChart, Series, columns_chart, lines_chart, percent, whole

DAYS = 28
RUNGS = {"PERSONAL": "#2563eb", "LAST_GOOD": "#d97706", "POPULAR": "#6b7280", "NEWEST": "#dc2626"}
ONE = "#9333ea"
"""The colour of a chart with one series."""
LATE = dt.timedelta(minutes=30)
"""Without a sign of life for so long, the worker or beat has stopped: it counts every ten minutes."""
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Tile:
    """One number of now; ``link`` leads to what is behind it, and is empty where its reader may not see that."""

    name: str
    value: str
    note: str = ""
    link: str = ""


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


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses of the lists behind numbers, of those models that the person may view."""

    site: str
    shown: Mapping[str, bool]

    def to(self, model: str, **which: object) -> str:
        """The list of a model, filtered; empty for who may not view it."""
        if not self.shown.get(model):
            return ""
        address = reverse(f"{self.site}:{model.replace('.', '_')}_changelist")
        return f"{address}?{urlencode(which)}" if which else address

    def on(self, model: str, moment: str, day: dt.date, **which: object) -> str:
        """The rows of one day (UTC)."""
        start = dt.datetime.combine(day, dt.time.min, tzinfo=dt.UTC)
        between = {f"{moment}__gte": start.isoformat(), f"{moment}__lt": (start + DAY).isoformat()}
        return self.to(model, **between, **which)

    def since(self, model: str, moment: str, at: dt.datetime, **which: object) -> str:
        return self.to(model, **{f"{moment}__gte": at.isoformat()}, **which)


def dashboard(*, shown: Mapping[str, bool], site: str = "reco_admin") -> dict[str, Any]:
    """Charts and rows for those models that the person may view (``shown``, by label); a fixed number of queries."""
    board: dict[str, Any] = {"days": DAYS, "tiles": [], "charts": []}
    links = Links(site, shown)
    if shown["reco_recommendations.recommender"]:
        board["recommenders"] = rows = recommender_rows(links)
        board["verdicts"] = verdicts(rows)
    if shown["reco_recommendations.slate"] or shown["reco_events.event"] or shown["reco_products.product"]:
        view = days_view(days=DAYS)
        board["counted_at"] = view.counted_at
        board["tiles"] = tiles(view, links)
        board["charts"] = charts(view, links)
        if shown["reco_recommendations.slate"]:
            board["placements"] = placement_rows(view, links)
            if shown["reco_events.event"]:
                board["answers"], board["behind"] = _answers(links)
                titles = board["answers"]["titles"]
                board["trends"] = trends(board["answers"]["trends"], titles, links)
                board["falls"] = [fall_row(each, titles, links) for each in board["answers"]["falls"]]
    if shown["reco_recommendations.modelversion"]:
        board["fresh"] = freshness(links)
    if shown["reco_recommendations.trainingrun"]:
        board["runs"] = running(links)
        board["signs"] = signs(links)
    if shown["reco_recommendations.feedback"]:
        board["feedback"] = waiting = feedback(links)
        board["waiting"] = sum(share.n for share in waiting)
        board["waiting_link"] = links.to("reco_recommendations.feedback", review__exact="open")
    return board


def _answers(links: Links) -> tuple[dict[str, Any], dict[str, str]]:
    """What lists led to, and the addresses of the clicks and purchases behind it; three queries."""
    first = timezone.now().date() - dt.timedelta(days=reco_settings().ANSWER_DAYS - 1)
    since, event = dt.datetime.combine(first, dt.time.min, tzinfo=dt.UTC), "reco_events.event"

    def lists(placement: str) -> str:
        which = {"placement": placement} if placement else {}
        return links.since("reco_recommendations.slate", "served_at", since, **which)

    return answers_board(lists=lists), {
        "clicks": links.since(event, "occurred_at", since, type__exact="select_item"),
        "purchases": links.since(event, "occurred_at", since, type__exact="purchase"),
    }


def tiles(view: DaysView, links: Links) -> list[Tile]:
    """The numbers of today, beside those of yesterday."""
    today, before = view.today, view.days[-2]
    slate, event = "reco_recommendations.slate", "reco_events.event"
    found = []
    if links.shown[slate]:
        address = links.on(slate, "served_at", today.day)
        found.append(Tile(_("Lists served today"), whole(today.n_lists), _beside(whole(before.n_lists)), address))
        address = links.on(slate, "served_at", today.day, rung__exact="PERSONAL")
        found.append(Tile(_("Personal share today"), _share(today), _beside(_share(before)), address))
    if links.shown[event]:
        address = links.on(event, "occurred_at", today.day)
        found.append(Tile(_("Events today"), _few(today.events), _beside(_few(before.events)), address))
    if links.shown["reco_products.product"]:
        note = _("no list was counted yet")
        if view.shown is not None and view.catalogue is not None:
            told = {"shown": whole(view.shown), "all": whole(view.catalogue)}
            note = _("%(shown)s of %(all)s products were in a list of the last 7 days") % told
        covered = view.shown / view.catalogue if view.shown is not None and view.catalogue else None
        value = "-" if covered is None else percent(covered)
        found.append(Tile(_("Coverage"), value, note, links.to("reco_products.product", visible__exact="1")))
    return found


def _beside(text: str) -> str:
    return _("yesterday: %(n)s") % {"n": text}


def _share(day: Day) -> str:
    return "-" if day.personal_share is None else percent(day.personal_share)


def _few(n: int | None) -> str:
    """A count, or that too few shoppers stand behind it."""
    return "-" if n is None else whole(n)


def charts(view: DaysView, links: Links) -> list[DayChart]:
    """Lists, events and coverage by day."""
    days = [each.day for each in view.days]
    found = []
    if links.shown["reco_recommendations.slate"]:
        series = [
            Series(str(Slate.Rung(rung).label), colour, [each.lists.get(rung) for each in view.days])
            for rung, colour in RUNGS.items()
            if any(rung in each.lists for each in view.days)
        ]
        title = _("Lists of %(days)s days: %(n)s") % {
            "days": DAYS,
            "n": whole(sum(each.n_lists for each in view.days)),
        }
        found.append(
            columns_chart(title, days, series, address=_behind(links, "reco_recommendations.slate", "served_at"))
        )
    if links.shown["reco_events.event"]:
        n = whole(sum(each.events or 0 for each in view.days))
        events = Series(_("Events"), ONE, [each.events for each in view.days])
        title = _("Events of %(days)s days: %(n)s") % {"days": DAYS, "n": n}
        found.append(columns_chart(title, days, [events], address=_behind(links, "reco_events.event", "occurred_at")))
    if links.shown["reco_products.product"] and any(each.covered is not None for each in view.days):
        covered = Series(_("Coverage"), ONE, [each.covered for each in view.days])
        title = _("Share of the catalogue in lists of 7 days")
        found.append(columns_chart(title, days, [covered], show=percent))
    return found


def _behind(links: Links, model: str, moment: str) -> Any:
    return (lambda day: links.on(model, moment, day)) if links.shown[model] else None


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


def trends(found: Sequence[Trend], titles: Mapping[str, str], links: Links) -> list[DayChart]:
    """Clicks and purchases per 100 lists, personal ones beside the control share, a chart each for each placement."""
    names = {Arm.PERSONAL: _("Personal lists"), Arm.CONTROL: _("Control share")}
    drawn = []
    for placement in dict.fromkeys(each.placement for each in found):
        title = titles.get(placement, placement)
        arms = [each for each in found if each.placement == placement]
        for what, told in (
            ("clicks", _("%(placement)s: clicks per 100 lists")),
            ("purchases", _("%(placement)s: purchases per 100 lists")),
        ):
            colours = {Arm.PERSONAL: (COLOURS[what], ""), Arm.CONTROL: (COLOURS["control"], "5 3")}
            per_day = [getattr(each, what) for each in arms]
            drawn.append(
                lines_chart(
                    told % {"placement": title},
                    [day for day, _rate in per_day[0]],
                    [
                        (names[Arm(arm.arm)], *colours[Arm(arm.arm)], [rate for _day, rate in values])
                        for arm, values in zip(arms, per_day, strict=True)
                    ],
                    show=per_hundred,
                    address=lambda day, key=placement: links.on(
                        "reco_recommendations.slate", "served_at", day, placement=key
                    ),
                )
            )
    return drawn


def fall_row(fall: Fall, titles: Mapping[str, str], links: Links) -> dict[str, str]:
    """A fall in words, and where to look for what is behind it."""
    text = _("%(placement)s: since %(day)s shoppers click %(after)s times per 100 personal lists; before, %(before)s.")
    told = {
        "placement": titles.get(fall.placement, fall.placement),
        "day": date_format(fall.since),
        "after": per_hundred(fall.after.value),
        "before": per_hundred(fall.before.value),
    }
    slate = "reco_recommendations.slate"
    start = dt.datetime.combine(fall.since, dt.time.min, tzinfo=dt.UTC)
    why = reverse(f"{links.site}:reco_recommendations_slate_why")
    return {
        "text": text % told,
        "control": _beside_control(fall),
        "lists": links.since(slate, "served_at", start, placement=fall.placement),
        "why": f"{why}?{urlencode({'placement': fall.placement})}",
    }


def _beside_control(fall: Fall) -> str:
    if fall.control is None:
        return _("There is no control share to tell whether it is the lists.")
    before, after = fall.control
    if fall.lists_alone is None:
        text = _("The control share went from %(before)s to %(after)s meanwhile.")
    elif fall.lists_alone:
        text = _("The control share went from %(before)s to %(after)s meanwhile: it is something about the lists.")
    else:
        text = _("The control share went from %(before)s to %(after)s meanwhile: it may be the shop and not the lists.")
    return text % {"before": per_hundred(before.value), "after": per_hundred(after.value)}


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
