"""Charts of what lists led to, for the admin's first page: bars with their intervals, and what they say in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from shop_reco.recommendations.models import AnswerCount
from shop_reco.recommendations.reading import AnswersView, Effect, Led, Rate, answers_view
from shop_reco.recommendations.selectors import placement_titles

HUNDRED = 100
"""Lists that rates are told for."""
COLOURS = {"clicks": "#2563eb", "purchases": "#059669", "control": "#6b7280"}


@dataclass(frozen=True, slots=True)
class Bar:
    """One rate: ``width``, and where its interval begins and how far it reaches, in percent of the chart."""

    name: str
    colour: str
    width: float
    low: float | None
    reach: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a comparison says; ``mood`` is good, bad or busy (it may be chance)."""

    mood: str
    text: str


@dataclass(frozen=True, slots=True)
class Compared:
    """One placement's personal lists beside its control share."""

    title: str
    rows: tuple[Row, ...]
    verdicts: tuple[Verdict, ...]
    effect: Effect
    link: str


def answers_board(*, lists: Callable[[str], str] = lambda placement: "") -> dict[str, Any]:
    """Everything that the page shows of answers; three queries, none of them on events.

    Args:
        lists: The address of the lists of a placement, or of all of them for an empty one.
    """
    view = answers_view()
    titles = placement_titles()
    kinds = {str(key): str(label) for key, label in AnswerCount._meta.get_field("recommender").flatchoices}
    return {
        "days": view.days,
        "counted_at": view.counted_at,
        "placements": charted(view.placements, titles),
        "recommenders": charted(view.recommenders, kinds),
        "tables": [
            (_("Placement"), _("Answers by placement"), _told(view.placements, titles, lists)),
            (_("Recommender"), _("Answers by recommender"), _told(view.recommenders, kinds, lambda _kind: lists(""))),
        ],
        "effects": [_compared(each, titles, lists(each.placement)) for each in view.effects],
        "no_effect": no_effect(view, titles),
        "colours": COLOURS,
        "trends": view.trends,
        "falls": view.falls,
        "titles": titles,
    }


def _told(led: Iterable[Led], names: Mapping[str, str], lists: Callable[[str], str]) -> list[tuple[str, Led, str]]:
    return [(names.get(each.name, each.name), each, lists(each.name)) for each in led]


def charted(led: Sequence[Led], names: Mapping[str, str]) -> list[Row]:
    """Clicks and purchases of each, all on one scale."""
    scale = _scale([rate for each in led for rate in (each.click_rate, each.purchase_rate)])
    return [
        Row(
            names.get(each.name, each.name),
            (
                bar(_("Clicks"), COLOURS["clicks"], each.click_rate, scale),
                bar(_("Purchases"), COLOURS["purchases"], each.purchase_rate, scale),
            ),
        )
        for each in led
    ]


def _scale(rates: Iterable[Rate]) -> float:
    """The rate that fills the chart."""
    return max((max(rate.value, rate.high or 0.0) for rate in rates), default=0.0) or 1.0


def bar(name: str, colour: str, rate: Rate, scale: float) -> Bar:
    """A rate as a bar; an interval that begins below zero is cut there."""
    width = round(100 * rate.value / scale, 2)
    if rate.low is None or rate.high is None:
        return Bar(name, colour, width, None, None, per_hundred(rate.value))
    low, high = max(rate.low, 0.0), rate.high
    text = _("%(value)s (95%%: %(low)s to %(high)s)")
    told = {"value": per_hundred(rate.value), "low": per_hundred(low), "high": per_hundred(high)}
    return Bar(name, colour, width, round(100 * low / scale, 2), round(100 * (high - low) / scale, 2), text % told)


def per_hundred(rate: float) -> str:
    return number_format(HUNDRED * rate, decimal_pos=1)


def _compared(effect: Effect, titles: Mapping[str, str], link: str) -> Compared:
    return Compared(
        title=titles.get(effect.placement, effect.placement),
        rows=(
            _beside(_("Clicks"), COLOURS["clicks"], effect.personal.click_rate, effect.control.click_rate),
            _beside(_("Purchases"), COLOURS["purchases"], effect.personal.purchase_rate, effect.control.purchase_rate),
        ),
        verdicts=(verdict(effect.clicks, _("clicks")), verdict(effect.purchases, _("purchases"))),
        effect=effect,
        link=link,
    )


def _beside(name: str, colour: str, personal: Rate, control: Rate) -> Row:
    scale = _scale([personal, control])
    return Row(
        name,
        (
            bar(_("Personal lists"), colour, personal, scale),
            bar(_("Control share"), COLOURS["control"], control, scale),
        ),
    )


def verdict(rate: Rate, what: str) -> Verdict:
    """What a difference says: more, fewer, or perhaps nothing."""
    told = {"what": what, "n": per_hundred(abs(rate.value))}
    if rate.low is None or rate.high is None:
        return Verdict("busy", _("Too few %(what)s so far to tell a difference.") % told)
    told |= {"low": number_format(HUNDRED * rate.low, 1), "high": number_format(HUNDRED * rate.high, 1)}
    if rate.low > 0:
        return Verdict("good", _("%(n)s more %(what)s per 100 lists (95%%: %(low)s to %(high)s).") % told)
    if rate.high < 0:
        return Verdict("bad", _("%(n)s fewer %(what)s per 100 lists (95%%: %(low)s to %(high)s).") % told)
    text = _("No difference in %(what)s beyond chance (95%%: %(low)s to %(high)s per 100 lists).")
    return Verdict("busy", text % told)


def no_effect(view: AnswersView, titles: Mapping[str, str]) -> list[str]:
    """Why there is nothing to compare, where there is not."""
    if not view.compared:
        return [
            _("No list of a control share was counted yet: the share may be 0, or none of its shoppers has come by.")
        ]
    text = _("%(placement)s: fewer than 5 shoppers are on one side of the comparison.")
    return [text % {"placement": titles.get(each, each)} for each in view.untold]
