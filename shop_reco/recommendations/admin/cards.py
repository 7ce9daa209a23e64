"""The recommenders as cards: part in the blend, quality over time, runs, and who decided what and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shop_reco.staff.models import StaffAction

from ..models import ModelVersion, Promotion, Recommender, TrainingRun
from ..serving.memory import memory
from .comparison import MEASURE
from .verdicts import promotion_text, run_text

SIZES = (1, 10, 100, 1000)
"""Lengths of a history, in events."""
RUNS, VERSIONS, DECISIONS = 3, 200, 30
"""Runs shown of each, and versions and decisions read of all together."""
WIDTH, HEIGHT = 280, 90
COLOURS = {
    "popularity": "#6b7280", "trending": "#d97706", "content": "#059669", "item_cf": "#2563eb",
    "user_cf": "#9333ea", "behaviour_mlp": "#dc2626", "content_mlp": "#0891b2",
}  # fmt: skip
SECTION = "discovery"
"""The part of the comparison that is charted: products new to the shopper."""
WHO = {
    "candidate": (gettext_lazy("this recommender"), "#2563eb"),
    "popularity": (gettext_lazy("what is popular"), "#d97706"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """A recommender's share of a blend, in percent; ``left`` is where it begins."""

    name: str
    colour: str
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Quality:
    """NDCG of a recommender's versions beside popularity, as a chart of WIDTH by HEIGHT and as rows of a table.

    Attributes:
        marks: By contestant: colour, points of the line, and marks as x, y, interval's top and bottom, text.
        rows: Version, day, and each contestant's figure in words.
    """

    marks: tuple[tuple[str, str, str, tuple[tuple[float, float, float, float, str], ...]], ...]
    rows: tuple[tuple[ModelVersion, tuple[str, ...]], ...]
    most: str
    heads: tuple[str, ...]
    told: str
    width: int = WIDTH
    height: int = HEIGHT


def blend_rows() -> list[tuple[int, list[Part]]]:
    """How the blend that serves is made up, by the length of a history; as each process has it in memory."""
    models = memory.models()
    taking_part = models.enabled & models.hybrid.parts.keys()
    names = dict(Recommender.Kind.choices)
    rows = []
    for size in SIZES:
        left, parts = 0.0, []
        for kind, share in sorted(models.hybrid.blend.shares(size, taking_part).items()):
            width = round(100 * share.weight, 2)
            parts.append(Part(str(names.get(kind, kind)), COLOURS.get(kind, "#374151"), round(left, 2), width))
            left += width
        rows.append((size, parts))
    return rows


def cards(recommenders: Iterable[Recommender], *, may_change: bool) -> list[dict[str, Any]]:
    """One for each recommender; two queries and one for each recommender's last runs."""
    versions: dict[str, list[ModelVersion]] = {}
    for version in ModelVersion.objects.order_by("-created_at", "-pk")[:VERSIONS]:
        versions.setdefault(version.recommender_id, []).append(version)
    live = {each.recommender_id: each for each in ModelVersion.objects.filter(state=ModelVersion.State.LIVE)}
    blend: dict[str, list[tuple[int, float]]] = {}
    for size, parts in blend_rows():
        for part in parts:
            blend.setdefault(part.name, []).append((size, part.width))
    found = []
    for each in recommenders:
        mine = versions.get(each.kind, [])
        runs = list(
            TrainingRun.objects.filter(recommender=each)
            .select_related("requested_by")
            .defer("log", "cleaning")
            .order_by("-requested_at", "-pk")[:RUNS]
        )
        busy = next((run for run in runs if run.state in ("queued", "running")), None)
        found.append(
            {
                "recommender": each,
                "live": live.get(each.kind),
                "runs": runs,
                "busy": busy,
                "percent": round(100 * busy.progress) if busy else 0,
                "told": progress_text(busy) if busy else "",
                "blend": blend.get(str(each), []),
                "quality": quality(mine),
                "can_go_back": may_change
                and any(one.state == ModelVersion.State.RETIRED and one.pruned_at is None for one in mine),
                "pair": pair(mine),
            }
        )
    return found


def pair(versions: list[ModelVersion]) -> tuple[int, int] | None:
    """The live version and the newest other one, to be compared; None where there are no two."""
    live = [each for each in versions if each.state == ModelVersion.State.LIVE]
    others = [each for each in versions if each.state != ModelVersion.State.LIVE]
    if live and others:
        return live[0].pk, others[0].pk
    return (versions[0].pk, versions[1].pk) if len(versions) > 1 else None


def progress_text(run: TrainingRun) -> str:
    """What a run does at the moment, in words."""
    told = [str(run.get_state_display())]
    if run.phase:
        told.append(str(run.get_phase_display()))
    told.append(_("%(n)s%%") % {"n": round(100 * run.progress)})
    if run.loss is not None:
        told.append(_("loss %(loss)s") % {"loss": number_format(run.loss, decimal_pos=4)})
    return ", ".join(told)


def measured(version: ModelVersion, who: str) -> dict[str, Any] | None:
    """A contestant's NDCG with its interval, as the version's gate measured it."""
    sections = version.gate.get("comparison", {}).get("sections", {})
    told = sections.get(SECTION, {}).get("measured", {}).get(who, {}).get(MEASURE)
    return told if told and told.get("mean") is not None else None


def quality(versions: list[ModelVersion]) -> Quality | None:
    """Over time, the oldest version first; None where no gate compared any."""
    known = [each for each in reversed(versions) if measured(each, "candidate")]
    if not known:
        return None
    told = {who: [measured(each, who) for each in known] for who in WHO}
    most = max((one["high"] or one["mean"] for each in told.values() for one in each if one), default=0.0) or 1.0
    step = WIDTH / len(known)

    def height(value: float) -> float:
        return round(HEIGHT * (1 - min(max(value, 0.0) / most, 1.0)), 1)

    marks = []
    for who, values in told.items():
        name, colour = str(WHO[who][0]), WHO[who][1]
        points = [
            (
                round((k + 0.5) * step, 1),
                height(one["mean"]),
                height(one["high"] or one["mean"]),
                height(one["low"] or one["mean"]),
                f"{date_format(known[k].created_at)}, {name}: {figure(one)}",
            )
            for k, one in enumerate(values)
            if one
        ]
        marks.append((name, colour, " ".join(f"{x},{y}" for x, y, *_rest in points), tuple(points)))
    heads = tuple(str(name) for name, _colour in WHO.values())
    last = "; ".join(f"{head}: {figure(told[who][-1])}" for who, head in zip(WHO, heads, strict=True))
    return Quality(
        marks=tuple(marks),
        rows=tuple((each, tuple(figure(told[who][k]) for who in WHO)) for k, each in reversed(list(enumerate(known)))),
        most=number_format(most, decimal_pos=3),
        heads=heads,
        told=_("Quality (NDCG) of its versions. The last one: %(last)s.") % {"last": last},
    )


def figure(one: dict[str, Any] | None) -> str:
    """A mean with its interval."""
    if one is None or one.get("mean") is None:
        return "-"
    mean = number_format(one["mean"], decimal_pos=4)
    if one.get("low") is None or one.get("high") is None:
        return mean
    text = _("%(value)s (95%%: %(low)s to %(high)s)")
    low, high = (number_format(one[name], decimal_pos=4) for name in ("low", "high"))
    return text % {"value": mean, "low": low, "high": high}


@dataclass(frozen=True, slots=True)
class Decision:
    """Who did what to which recommender or version, when and why."""

    at: dt.datetime
    who: str
    what: str
    why: str


def decisions() -> list[Decision]:
    """The last switches, promotions, refusals and ways back, the latest first; two queries."""
    promotions = Promotion.objects.select_related("version", "person").order_by("-decided_at", "-pk")[:DECISIONS]
    found = [
        Decision(
            each.decided_at,
            str(each.person or each.get_decided_by_display()),
            (_("%(version)s went live") if each.went_live else _("%(version)s did not go live"))
            % {"version": each.version},
            promotion_text(each),
        )
        for each in promotions
    ]
    switches = StaffAction.objects.filter(model=Recommender._meta.label_lower, changes__has_key="enabled")
    for action in switches.order_by("-pk")[:DECISIONS]:
        _before, on = action.changes["enabled"]
        text = (_("%(kind)s is on.") if on else _("%(kind)s is off.")) % {"kind": Recommender(kind=action.object_id)}
        found.append(Decision(action.at, action.who, text, action.why))
    return sorted(found, key=lambda each: each.at, reverse=True)[:DECISIONS]


def progress() -> dict[str, Any]:
    """How far trainings are that wait, run, or ended in the last minute; one query."""
    lately = timezone.now() - dt.timedelta(minutes=1)
    unfinished = TrainingRun.objects.filter(state__in=["queued", "running"])
    ended = TrainingRun.objects.filter(finished_at__gte=lately)
    runs: dict[str, dict[str, Any]] = {}
    runs_lately = (unfinished | ended).select_related("version").defer("log", "cleaning")
    for run in runs_lately.order_by("requested_at", "pk"):
        busy = run.state in ("queued", "running")
        percent = 100 if run.state == TrainingRun.State.DONE else round(100 * run.progress)
        told = progress_text(run) if busy else ": ".join(filter(None, [str(run.get_state_display()), run_text(run)]))
        runs[run.recommender_id] = {"busy": busy, "percent": percent, "told": told}
    return {"runs": runs, "busy": any(each["busy"] for each in runs.values())}
