"""What trainings left out of the events, as charts: bars by rule, over the last runs and of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.formats import localize
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from ..models import TrainingRun

RULES = {
    "impossible_times": (_("Impossible times"), "#2563eb"),
    "unknown_products": (_("Unknown products"), "#7c3aed"),
    "sensitive_products": (_("Sensitive products"), "#db2777"),
    "exact_duplicates": (_("Exact duplicates"), "#d97706"),
    "near_duplicates": (_("Near duplicates"), "#f59e0b"),
    "returns": (_("Returns and what they undid"), "#059669"),
    "impossible_quantities": (_("Impossible quantities"), "#dc2626"),
    "impossible_prices": (_("Impossible prices"), "#ea580c"),
    "impossible_ratings": (_("Impossible ratings"), "#be123c"),
    "event_prices": (_("Purchases without a price"), "#65a30d"),
    "daily_cap": (_("More on one product than a day counts"), "#0891b2"),
    "impossible_product_prices": (_("Impossible prices of products"), "#9f1239"),
}
"""What each rule is called, and its colour in the charts."""
APART = "older_than_history"
"""No fault of the events; told in a sentence, so that its bar does not dwarf the others."""
COLUMNS = {"event_prices": _("Prices of purchases"), "product_prices": _("Prices of products")}
WAYS = {
    "keep": _("left as they are"),
    "drop": _("left out"),
    "mean": _("filled by the mean of the category"),
    "prediction": _("filled by prediction"),
}
SHOWN = 12
"""Runs in the chart of the last ones."""
CHART = (560, 120)
"""Width and height of the drawing area, in svg units."""


@dataclass(frozen=True, slots=True)
class Part:
    """One rule's part of a run's column, in svg units, with what a tooltip says."""

    y: float
    height: float
    colour: str
    text: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One rule in one run; ``width`` in percent of the longest."""

    name: str
    colour: str
    dropped: int
    changed: int
    width: float
    examples: list[tuple[str, str]]


def chart_of_runs(runs: Sequence[TrainingRun]) -> dict[str, Any]:
    """Columns of what each run dropped or changed, oldest first, and a legend; ``runs`` come newest first."""
    told = [run for run in runs if run.cleaning.get("rules")][::-1]
    counts = [{name: n for name, n in _counts(run).items() if n} for run in told]
    most = max((sum(each.values()) for each in counts), default=0) or 1
    step = CHART[0] / max(len(told), SHOWN)
    columns = [
        {"x": round(place * step + step * 0.1, 1), "width": round(step * 0.8, 1), "parts": _parts(run, mine, most)}
        for place, (run, mine) in enumerate(zip(told, counts, strict=True))
    ]
    sums = {name: sum(each.get(name, 0) for each in counts) for name in RULES}
    legend = [(str(RULES[name][0]), RULES[name][1], n) for name, n in sums.items() if n]
    return {"columns": columns, "legend": legend, "runs": len(told), "width": CHART[0], "height": CHART[1]}


def _counts(run: TrainingRun) -> dict[str, int]:
    return {
        rule["name"]: int(rule["dropped"]) + int(rule["changed"])
        for rule in run.cleaning.get("rules", ())
        if rule["name"] in RULES
    }


def _parts(run: TrainingRun, counts: Mapping[str, int], most: int) -> list[Part]:
    parts, top = [], float(CHART[1])
    when = localize(localtime(run.requested_at))
    for name in RULES:
        if n := counts.get(name, 0):
            height = CHART[1] * n / most
            top -= height
            text = f"{run.recommender}, {when}: {RULES[name][0]}: {localize(n)}"
            parts.append(Part(round(top, 1), round(height, 1), RULES[name][1], text))
    return parts


def report_of(run: TrainingRun, *, site: str) -> dict[str, Any]:
    """One run's report as bars by rule and a few numbers; empty where it made none."""
    report = run.cleaning
    if not report.get("rules"):
        return {}
    rules = {rule["name"]: rule for rule in report["rules"]}
    some = [rules[name] for name in RULES if name in rules and rules[name]["dropped"] + rules[name]["changed"]]
    most = max((rule["dropped"] + rule["changed"] for rule in some), default=0) or 1
    bars = [
        Bar(
            name=str(RULES[rule["name"]][0]),
            colour=RULES[rule["name"]][1],
            dropped=rule["dropped"],
            changed=rule["changed"],
            width=round(100 * (rule["dropped"] + rule["changed"]) / most, 2),
            examples=[(example, _page_of(example, rule["name"], site)) for example in rule["examples"]],
        )
        for rule in some
    ]
    missing = [
        {**each, "name": str(COLUMNS[column]), "how": str(WAYS.get(each["way"], each["way"]))}
        for column, each in report.get("missing", {}).items()
        if column in COLUMNS
    ]
    return {
        "bars": bars,
        "rows_in": report["rows_in"],
        "rows_out": report["rows_out"],
        "older": rules.get(APART, {}).get("dropped", 0),
        "kept_out": report.get("kept_out", {}),
        "feedback": report.get("feedback", {}),
        "raised": sum(report.get("flags", {}).values()),
        "missing": missing,
        "seconds": report.get("seconds"),
    }


def _page_of(example: str, rule: str, site: str) -> str:
    """Where an event can be looked at; nowhere for the sku of a product."""
    if rule == "impossible_product_prices":
        return ""
    try:
        return reverse(f"{site}:reco_events_event_change", args=(example,))
    except NoReverseMatch:
        return ""
