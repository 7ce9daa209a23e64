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

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from shop_reco.conf import reco_settings
from shop_reco.recommendations.models import Arm, Slate
from shop_reco.recommendations.reading import Day, DaysView, Fall, Trend, days_view

from .answer_charts import COLOURS, answers_board, per_hundred
from .dashboard_links import Links
from .dashboard_rows import (
    RUNGS,
    feedback,
    freshness,
    placement_rows,
    recommender_rows,
    running,
    signs,
    verdicts,
)
from .day_charts import DayChart, Series, columns_chart, lines_chart, percent, whole

DAYS = 28
ONE = "#9333ea"
"""The colour of a chart with one series."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One number of now; ``link`` leads to what is behind it, and is empty where its reader may not see that."""

    name: str
    value: str
    note: str = ""
    link: str = ""


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
