"""Item CF's time and memory to fit against its peers', each fit in a process of its own, in turn."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.machine import INSTALL, fit_peak, in_child, tell, tried
from benchmarks.peers import N_TARGETS, dot_topn_matrix
from benchmarks.public_data import figures_of, gains, interactions_of, summary, task_of_set
from reco_engine.evaluation.protocol import ranked_lists
from reco_engine.recommenders import ItemCF

GIVEN: dict[str, Any] = {
    "activity": 0.5, "source_exponent": 0.5, "target_exponent": 0.3, "half_life": 180.0, "history_half_life": 60.0,
    "spectral_weight": 0.0, "n_targets": N_TARGETS,
}  # fmt: skip
OURS: dict[str, dict[str, Any]] = {
    "item_cf": {},
    "item_cf, updatable=False": {"updatable": False},
    "item_cf, min_support=5": {"min_support": 5},
    "item_cf, spectral_weight=0.05": {"spectral_weight": 0.05},
}
COSINE, TOPN = "implicit CosineRecommender", "sparse-dot-topn"
NAMES = (*OURS, COSINE, TOPN)


def fits(folder: Path, name: str, repeats: int) -> dict[str, Any]:
    """Medians of seconds and MB; K is the same for all, nothing is searched, the data is already built."""
    tell(f"fit: {name}, {repeats} rounds")
    rounds: dict[str, list[dict[str, Any]]] = {each: [] for each in NAMES}
    for _ in range(repeats):
        for each, found in rounds.items():
            job = {"work": "fit", "name": each, "folder": str(folder), "data": name}
            found.append(tried(each, lambda job=job: in_child("benchmarks.engine", job)))  # type: ignore[misc]
    return {"data": name, "n_targets": N_TARGETS, "repeats": repeats, "settings": GIVEN, "median_of": _medians(rounds)}


def costs(folder: Path, name: str, n_users: int | None) -> dict[str, Any]:
    """What ``min_support`` and the spectral term change in quality, beside the same settings."""
    tell(f"costs: {name}")
    task = task_of_set(folder, name, n_users)
    figures, report = {}, {}
    for each, changed in OURS.items():
        if each == "item_cf, updatable=False":
            continue
        model = ItemCF(**{**GIVEN, **changed}).fit(task.train)
        figures[each] = figures_of(ranked_lists(model, task, 20)[0], task)
        report[each] = {**summary(figures[each]), "over_item_cf": gains(figures[each], figures["item_cf"])}
    return {"data": name, "test_users": int(task.user_ids.size), "figures": report}


def one_fit(job: dict[str, Any]) -> dict[str, Any]:
    """What the child does: build the data, then fit once."""
    work = _work(job["name"], Path(job["folder"]), job["data"])
    start = time.perf_counter()
    _, peak = fit_peak(work)
    return {"s": time.perf_counter() - start, "peak_mb": peak}


def _work(name: str, folder: Path, data: str) -> Callable[[], Any]:
    """The fit alone; what it imports is imported before."""
    import sklearn.preprocessing
    import sparse_dot_topn

    _ = sklearn.preprocessing, sparse_dot_topn
    if name in OURS:
        interactions = interactions_of(folder, data)
        return lambda: ItemCF(**{**GIVEN, **OURS[name]}).fit(interactions)
    train = interactions_of(folder, data).matrix().astype("float32")
    if name == TOPN:
        return lambda: dot_topn_matrix(train)
    from implicit.nearest_neighbours import CosineRecommender

    model = CosineRecommender(K=N_TARGETS)
    return lambda: model.fit(train, show_progress=False)


def _medians(rounds: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    report: dict[str, Any] = {}
    for name, found in rounds.items():
        failed = [each["error"] for each in found if "error" in each]
        if failed:
            report[name] = {"error": INSTALL if "ModuleNotFoundError" in failed[0] else failed[0]}
            continue
        peaks = [each["peak_mb"] for each in found if each["peak_mb"] is not None]
        report[name] = {
            "s": round(median(each["s"] for each in found), 3),
            "peak_mb": round(median(peaks), 1) if peaks else None,
            "all_s": [round(each["s"], 3) for each in found],
        }
    return report
