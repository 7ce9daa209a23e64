"""What the gate said of a version, and why a run ended, in the language of whoever reads it.

The engine speaks English and knows no other language; it keeps the rule that spoke and what it looked at, and those
are worded here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ..models import Promotion, TrainingRun
from .comparison import NAMES

BESIDE = {
    "live": gettext_lazy("%(section)s, NDCG@%(k)s of %(n)s shoppers: %(ours)s, the live version %(theirs)s."),
    "popularity": gettext_lazy("%(section)s, NDCG@%(k)s of %(n)s shoppers: %(ours)s, popularity %(theirs)s."),
    "chance": gettext_lazy(
        "%(section)s, NDCG@%(k)s of %(n)s shoppers: %(ours)s, the same lists with other items in them %(theirs)s."
    ),
}
OF_A_GATE = "least_shoppers"
"""A figure of every verdict that can be worded; those of before it was kept are told as the engine said them."""


def verdict_text(gate: Mapping[str, Any]) -> str:
    """The verdict of a version's gate; empty where there was none."""
    decision = gate.get("decision", {})
    rule, figures = decision.get("rule"), decision.get("figures", {})
    if rule not in RULES or OF_A_GATE not in figures:
        return str(decision.get("why", ""))
    return " ".join(RULES[rule](figures))


def promotion_text(promotion: Promotion) -> str:
    """Why a version went live or did not: the gate's words, or those of the person who decided."""
    told = verdict_text(promotion.version.gate) if promotion.decided_by == Promotion.By.GATE else ""
    return told or promotion.why


def run_text(run: TrainingRun) -> str:
    """Why a run ended as it did: the gate's words where it came to one; what is always said alike is translated."""
    version = getattr(run, "version", None)
    told = verdict_text(version.gate) if version is not None and run.state == TrainingRun.State.DONE else ""
    return told or (_(run.why) if run.why else "")


def _surge(figures: Mapping[str, Any]) -> Iterator[str]:
    for each in figures["surges"]:
        text = ngettext(
            "Item %(item)s has %(share)s of what was done in the last %(days)s days, %(times)s times what its past "
            "leads one to expect; only %(n)s shopper is behind it.",
            "Item %(item)s has %(share)s of what was done in the last %(days)s days, %(times)s times what its past "
            "leads one to expect; only %(n)s shoppers are behind it.",
            each["buyers"],
        )
        yield text % {
            "item": each["item"],
            "share": _percent(each["share"], decimals=2),
            "days": _whole(each["days"]),
            "times": _whole(each["times"]),
            "n": _whole(each["buyers"]),
        }


def _no_lists(figures: Mapping[str, Any]) -> Iterator[str]:
    yield _("It lists nothing to any of %(n)s shoppers.") % {"n": _whole(figures["n_shoppers"])}


def _few_shoppers(figures: Mapping[str, Any]) -> Iterator[str]:
    yield _few(figures)
    yield _("The live version stays unless staff decide.")


def _few(figures: Mapping[str, Any]) -> str:
    text = ngettext(
        "Only %(n)s shopper could be asked, %(least)s are needed to tell how good it is.",
        "Only %(n)s shoppers could be asked, %(least)s are needed to tell how good it is.",
        figures["n_shoppers"],
    )
    return text % {"n": _whole(figures["n_shoppers"]), "least": _whole(figures["least_shoppers"])}


def _not_as_good(figures: Mapping[str, Any]) -> Iterator[str]:
    yield _beside(figures, "live")
    if figures["relative"]["live"]["high"] < 0:
        yield _("It is worse.")
    else:
        yield _("A loss of more than %(margin)s cannot be ruled out.") % {"margin": _percent(figures["margin"])}


def _as_good(figures: Mapping[str, Any]) -> Iterator[str]:
    yield _beside(figures, "live")
    yield _("It is as good or better.")
    if figures["worse_in"]:
        worse = ", ".join(str(NAMES.get(each, each)) for each in figures["worse_in"])
        yield _("It is worse in: %(sections)s.") % {"sections": worse}


def _first(figures: Mapping[str, Any]) -> Iterator[str]:
    yield _("It is the first version.")
    few = figures["n_shoppers"] < figures["least_shoppers"]
    yield _few(figures) if few else _beside(figures, "popularity")


def _below_popularity(figures: Mapping[str, Any]) -> Iterator[str]:
    yield _beside(figures, "popularity")
    yield _("A loss cannot be ruled out.")


def _no_better_than_chance(figures: Mapping[str, Any]) -> Iterator[str]:
    yield _beside(figures, "chance")
    yield _("It is not shown to know anything.")


RULES = {
    "surge": _surge,
    "no_lists": _no_lists,
    "few_shoppers": _few_shoppers,
    "not_as_good": _not_as_good,
    "as_good": _as_good,
    "first": _first,
    "below_popularity": _below_popularity,
    "no_better_than_chance": _no_better_than_chance,
}
"""By the engine's name of the rule, the sentences that it comes to."""


def _beside(figures: Mapping[str, Any], other: str) -> str:
    """The candidate's figure and another contestant's, with the interval of the difference where there is one."""
    means, relative = figures["means"], figures["relative"][other]
    theirs = number_format(means[other], decimal_pos=4)
    if relative["low"] is not None:
        low, high = (_percent(relative[name], decimals=1, sign="+") for name in ("low", "high"))
        theirs = _("%(mean)s (%(low)s to %(high)s)") % {"mean": theirs, "low": low, "high": high}
    return str(BESIDE[other]) % {
        "section": str(NAMES.get(figures["section"], figures["section"])),
        "k": figures["k"],
        "n": _whole(figures["n_shoppers"]),
        "ours": number_format(means["candidate"], decimal_pos=4),
        "theirs": theirs,
    }


def _whole(value: float) -> str:
    return number_format(value, decimal_pos=0, force_grouping=True)


def _percent(share: float, *, decimals: int = 0, sign: str = "") -> str:
    return f"{share:{sign}.{decimals}%}"
