"""Quality on the public splits: ours and the peers', by one metric code, with intervals."""

from __future__ import annotations

import time
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import tell, tried
from benchmarks.peers import PEERS
from benchmarks.public_data import Figures, figures_of, gains, rows_of_task, summary, task_of_set, train_matrix
from reco_engine.evaluation.protocol import ranked_lists
from reco_engine.evaluation.task import Task
from reco_engine.ranking import Hybrid
from reco_engine.recommenders import BehaviourMLP, ItemCF, UserCF

PLAIN = {"activity": 0.0, "source_exponent": 0.5, "target_exponent": 0.5, "spectral_weight": 0.0, "n_targets": 200}
TERM = 0.05
HELD_AGAINST = {
    "item_cf, plain cosine": "implicit CosineRecommender, K=200",
    "item_cf, found": "implicit BM25Recommender, K=200",
    "user_cf, found": "scikit-learn brute user kNN, k=100",
    "behaviour_mlp": "implicit ALS, 128 factors, alpha 40, reg 10, 15 iterations",
}


class Quality:
    """Measures one recommender after the other on one data set, and keeps what the later ones are held against."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.rows: dict[str, Figures] = {}
        self.models: dict[str, Any] = {}
        self.found: dict[str, dict[str, Any]] = {}

    def ours(self, name: str, model: Any, *, search: bool = False) -> dict[str, Any]:
        """Fit and measure; with ``search``, fit once more with the settings found, to tell the search's seconds."""
        start = time.perf_counter()
        fitted = model.fit(self.task.train)
        seconds = time.perf_counter() - start
        report: dict[str, Any] = {"fit_s": round(seconds, 2)}
        self.models[name], self.found[name] = fitted, settings_found(fitted)
        if search:
            start = time.perf_counter()
            type(model)(**self.found[name]).fit(self.task.train)
            alone = time.perf_counter() - start
            report = {"fit_s": round(alone, 2), "search_s": round(seconds - alone, 2)}
        return {**report, "settings": self.found[name], **self.measured(name, fitted)}

    def measured(self, name: str, model: Any) -> dict[str, Any]:
        start = time.perf_counter()
        lists, _ = ranked_lists(model, self.task, 20)
        self.rows[name] = figures_of(lists, self.task)
        tell(f"{name}: {summary(self.rows[name])}")
        return {"rank_s": round(time.perf_counter() - start, 1), **summary(self.rows[name])}

    def peer(self, name: str) -> dict[str, Any]:
        start = time.perf_counter()
        lists, fit_s = PEERS[name](train_matrix(self.task), rows_of_task(self.task))
        rank_s = time.perf_counter() - start - fit_s
        self.rows[name] = figures_of(lists, self.task)
        tell(f"{name}: {summary(self.rows[name])}")
        return {"fit_s": round(fit_s, 2), "rank_s": round(rank_s, 1), **summary(self.rows[name])}

    def with_term(self) -> dict[str, Any]:
        """The settings found, the spectral term forced; and what it gives over the same without it."""
        found = self.found["item_cf, found"]
        forced = {**found, "spectral_weight": found.get("spectral_weight") or TERM}
        report = self.ours("item_cf, with the spectral term", ItemCF(**forced))
        without = "item_cf, found"
        if found["spectral_weight"]:
            without = "item_cf, without the spectral term"
            report["without"] = self.ours(without, ItemCF(**{**found, "spectral_weight": 0.0}))
        return {**report, "over_without": gains(self.rows["item_cf, with the spectral term"], self.rows[without])}

    def hybrid(self) -> dict[str, Any]:
        """The parts with the settings found, and the blend that ``fit`` learns of them."""
        names = {"item_cf": "item_cf, found", "user_cf": "user_cf, found", "behaviour_mlp": "behaviour_mlp"}
        parts = {part: type(self.models[name])(**self.found[name]) for part, name in names.items() if name in self.rows}
        report = self.ours("hybrid", Hybrid(parts))
        del report["settings"]
        best = max((names[part] for part in parts), key=lambda name: float(np.nanmean(self.rows[name]["ndcg"])))
        return {**report, "parts": list(parts), "best_part": best, "over_best_part": self.over("hybrid", best)}

    def over(self, name: str, other: str) -> dict[str, Any]:
        return gains(self.rows[name], self.rows[other])


def quality(folder: Path, name: str, n_users: int | None) -> dict[str, Any]:
    """All recommenders and peers on one data set."""
    tell(f"quality: {name}")
    task = task_of_set(folder, name, n_users)
    run = Quality(task)
    figures = {
        "item_cf, plain cosine": tried("item_cf, plain", lambda: run.ours("item_cf, plain cosine", ItemCF(**PLAIN))),
        "item_cf, found": tried("item_cf, searched", lambda: run.ours("item_cf, found", ItemCF(), search=True)),
        "item_cf, with the spectral term": tried("item_cf, with the term", run.with_term),
        "user_cf, found": tried("user_cf, searched", lambda: run.ours("user_cf, found", UserCF(), search=True)),
        "behaviour_mlp": tried("behaviour_mlp", lambda: run.ours("behaviour_mlp", BehaviourMLP())),
        **{peer: tried(peer, lambda peer=peer: run.peer(peer)) for peer in PEERS},  # type: ignore[misc]
        "hybrid": tried("hybrid", run.hybrid),
    }
    for mine, other in HELD_AGAINST.items():
        if mine in run.rows and other in run.rows:
            figures[mine]["over"] = {other: run.over(mine, other)}
    return {
        "data": name,
        "train_interactions": len(task.train),
        "train_users": task.train.n_users,
        "items": int(task.item_ids.size),
        "test_users": int(task.user_ids.size),
        "protocol": "all items ranked, those of training left out, 20 items; 95% bootstrap intervals over users",
        "figures": figures,
    }


def settings_found(model: Any) -> dict[str, Any]:
    """The settings that a recommender was fitted with: those given, and those that ``fit`` chose."""
    given = {each.name: getattr(model, each.name) for each in fields(model) if each.init}
    chosen = {name: vars(model).get(f"{name}_") for name, value in given.items() if value is None}
    return {**given, **{name: _plain(value) for name, value in chosen.items()}}


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
