"""Quality against time, for all recommenders."""

from __future__ import annotations

from pathlib import Path

from reco_engine.errors import BadInputError, MissingDependencyError

from .running import Comparison


def need_matplotlib() -> None:
    """Say so before the work, not after it.

    Raises:
        MissingDependencyError: If matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError("the plot needs matplotlib: pip install shop-reco[science]") from error


def plot(comparison: Comparison, path: Path) -> None:
    """Draw NDCG, with its interval, against the time to fit and the time for one list.

    Raises:
        BadInputError: If the file cannot be written, or its ending is none that matplotlib writes.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import StrMethodFormatter

    figure = Figure(figsize=(11, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for name, measured in comparison.measured.items():
        ndcg = measured.intervals["ndcg"]
        spread = [[ndcg.mean - ndcg.low], [ndcg.high - ndcg.mean]]
        for axes, cost in ((left, measured.fit_s), (right, measured.single_ms[0])):
            axes.errorbar([cost], [ndcg.mean], yerr=spread, fmt="o", capsize=3)
            axes.annotate(name, (cost, ndcg.mean), xytext=(6, 5), textcoords="offset points", fontsize=9)
    for axes, label in ((left, "seconds to fit"), (right, "milliseconds for one shopper's list")):
        axes.set(xscale="log", xlabel=label)
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.xaxis.set_minor_formatter("")
        axes.margins(x=0.35, y=0.1)  # room for the names
        axes.grid(alpha=0.3)
    left.set_ylabel(f"NDCG@{comparison.k}")
    try:
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise BadInputError(f"the plot cannot be written to {path}: {error}") from error
