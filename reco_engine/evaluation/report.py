"""A comparison as JSON and as a Markdown table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from reco_engine.data.intervals import Interval

from .protocol import Measured
from .running import Comparison
from .task import Task


def as_dict(comparison: Comparison, task: Task) -> dict[str, Any]:
    """Everything but the figures of each shopper, as JSON can hold it; what is no number is None."""
    return {
        "data": {
            "interactions": len(task.train),
            "users": task.train.n_users,
            "items": int(task.offered.sum()),
            "measured_users": len(task.histories),
            "relevant_pairs": int(task.relevant.nnz),
            "dated": task.train.dated,
            "repeats": task.repeats,
        },
        "k": comparison.k,
        "recommenders": {name: _measured(name, comparison) for name in comparison.measured},
        "skipped": dict(comparison.skipped),
    }


def as_markdown(comparison: Comparison) -> str:
    """One row a recommender, accuracy first; half the width of the 95% interval beside NDCG."""
    k = comparison.k
    head = [
        "recommender", f"NDCG@{k}", f"recall@{k}", f"precision@{k}", f"hit rate@{k}", f"MRR@{k}", f"MAP@{k}",
        "coverage", "Gini", "novelty (bits)", "diversity", "popularity bias", "miscalibration",
        "fit (s)", "fit peak (MB)", "one list (ms)", "in batches (ms)",
    ]  # fmt: skip
    rows = [_row(name, measured) for name, measured in comparison.measured.items()]
    lines = [_line(head), _line(["---", *["---:"] * (len(head) - 1)]), *map(_line, rows)]
    lines += [f"\n{name} was skipped: {why}" for name, why in comparison.skipped.items()]
    return "\n".join(lines)


def _row(name: str, measured: Measured) -> list[str]:
    ndcg = measured.intervals["ndcg"]
    means = {measure: interval.mean for measure, interval in measured.intervals.items()}
    return [
        name,
        f"{ndcg.mean:.4f} ± {(ndcg.high - ndcg.low) / 2:.4f}",
        *(f"{means[measure]:.4f}" for measure in ("recall", "precision", "hit_rate", "mrr", "map")),
        f"{measured.coverage:.3f}",
        f"{measured.gini:.3f}",
        *(_number(means.get(measure), 2) for measure in ("novelty", "diversity", "popularity_bias", "miscalibration")),
        f"{measured.fit_s:.2f}",
        _number(measured.fit_peak_mb, 0),
        f"{measured.single_ms[0]:.2f}",
        f"{measured.batch_ms:.3f}",
    ]


def _measured(name: str, comparison: Comparison) -> dict[str, Any]:
    measured = comparison.measured[name]
    over = comparison.over_baseline(name)
    return {
        "settings": dict(comparison.settings.get(name, {})),
        "found": dict(measured.found),
        "metrics": {measure: _interval(interval) for measure, interval in measured.intervals.items()},
        "coverage": measured.coverage,
        "gini": measured.gini,
        "ndcg_over_baseline": None if over is None else {"baseline": comparison.baseline, **_interval(over)},
        "fit_s": round(measured.fit_s, 4),
        "fit_peak_mb": None if measured.fit_peak_mb is None else round(measured.fit_peak_mb, 1),
        "single_ms": {"p50": round(measured.single_ms[0], 4), "p95": round(measured.single_ms[1], 4)},
        "batch_ms": round(measured.batch_ms, 4),
    }


def _interval(interval: Interval) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in asdict(interval).items()}


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
