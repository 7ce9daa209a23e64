"""Several recommenders on one task: their settings, who is skipped and why, and who is better than whom."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from reco_engine.data.intervals import Interval, paired_interval
from reco_engine.errors import BadInputError, MissingDependencyError
from reco_engine.ranking import Hybrid
from reco_engine.recommenders.base import Recommender
from reco_engine.recommenders.registry import BUILT_IN, class_of

from .protocol import Measured, evaluate
from .task import Task

HYBRID = "hybrid"
Settings = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class Comparison:
    """What was measured, by name in the order asked for, and why the others were not."""

    measured: Mapping[str, Measured]
    skipped: Mapping[str, str]
    settings: Settings
    k: int
    baseline: str | None

    def over_baseline(self, name: str, measure: str = "ndcg", *, seed: int = 0) -> Interval | None:
        """The paired interval of a measure's difference to the baseline's; None where there is none to make."""
        if self.baseline is None or name == self.baseline:
            return None
        ours, theirs = self.measured[name].figures[measure], self.measured[self.baseline].figures[measure]
        return paired_interval(ours, theirs, seed=seed)


def compare(
    names: Sequence[str],
    task: Task,
    *,
    settings: Settings | None = None,
    k: int = 20,
    seed: int = 0,
    baseline: str = "popularity",
    tell: Callable[[str], None] = lambda _: None,
) -> Comparison:
    """Evaluate each named recommender; one that cannot learn from the data is skipped, with its own words on why.

    Args:
        names: Of the shelf, or ``hybrid``.
        settings: By recommender, by setting.
        tell: Hears a sentence after each.
    Raises:
        BadInputError: If there is no recommender or setting of a name.
    """
    chosen = dict(settings or {})
    for name in (*names, *chosen):
        _need_settings(name, chosen.get(name, {}))
    measured, skipped = {}, {}
    for name in names:
        try:
            measured[name] = evaluate(_create(name, chosen.get(name, {})), task, k=k, seed=seed)
        except (BadInputError, MissingDependencyError) as error:
            skipped[name] = str(error)
            tell(f"{name}: skipped: {error}")
        else:
            tell(f"{name}: NDCG@{k} {measured[name].intervals['ndcg'].mean:.4f}, fit {measured[name].fit_s:.1f} s")
    return Comparison(measured, skipped, chosen, k, baseline if baseline in measured else None)


def parse_settings(texts: Sequence[str]) -> dict[str, dict[str, Any]]:
    """``item_cf.n_targets=100`` and the like, by recommender and setting; values are JSON, or else strings.

    Raises:
        BadInputError: If one is not of that form.
    """
    settings: dict[str, dict[str, Any]] = {}
    for text in texts:
        path, equals, value = text.partition("=")
        name, dot, setting = path.partition(".")
        if not (equals and dot and name and setting):
            raise BadInputError(f"setting {text!r} must be RECOMMENDER.SETTING=VALUE, as in item_cf.n_targets=100")
        try:
            settings.setdefault(name, {})[setting] = json.loads(value)
        except json.JSONDecodeError:
            settings.setdefault(name, {})[setting] = value
    return settings


def _create(name: str, settings: Mapping[str, Any]) -> Recommender:
    return Hybrid(**settings) if name == HYBRID else class_of(name)(**settings)


def _need_settings(name: str, settings: Mapping[str, Any]) -> None:
    if name != HYBRID and name not in BUILT_IN:
        raise BadInputError(f"there is no recommender {name!r}; there are {', '.join((*BUILT_IN, HYBRID))}")
    known: list[str] = []
    if name != HYBRID:
        known = [field.name for field in fields(class_of(name)) if field.init]  # type: ignore[arg-type]
    for setting in settings:
        if setting not in known:
            raise BadInputError(f"{name} has no setting {setting!r}; it has {', '.join(known) or 'none'}")
