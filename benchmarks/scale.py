"""A million shoppers: ``python -m benchmarks.scale``, JSON out. The data are made up, seeded.

Items are taken by a Zipf law within taste clusters. Each recommender is fitted in a process of its own, its settings
given, saved as an artifact, and serves from the files mapped back. Memory is the whole process' at its peak, with the
data it learns from and the interpreter; what is searched in ``fit`` is searched on a bounded sample, whatever the
size.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.machine import device, in_child, tell
from reco_engine import artifacts
from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions
from reco_engine.ranking import recommend
from reco_engine.recommenders import ContentBased, ItemCF, Popularity, UserCF

RECOMMENDERS: dict[str, Callable[[], Any]] = {
    "popularity": lambda: Popularity(120.0),
    "item_cf": lambda: ItemCF(0.5, 0.5, 0.3, 180.0, 60.0, 0.0, n_targets=200),
    "user_cf": lambda: UserCF(400, 0.25, 0.3, 0.0, 120.0, 120.0),
    "content": ContentBased,
}
CLUSTERS = 200
OWN = 0.7
"""Share of what a shopper takes that is of their cluster."""
DAYS = 365
N_SERVED = 1000
LENGTH = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--interactions", type=int, default=20_000_000)
    parser.add_argument("--recommenders", default=",".join(RECOMMENDERS), help="comma separated (default: all)")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(measured(json.load(sys.stdin))))
        return
    sizes = {"users": options.users, "items": options.items, "interactions": options.interactions}
    report: dict[str, Any] = {"device": device(), "data": {"made_up": True, "clusters": CLUSTERS, **sizes}}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "interactions.npz"
        write_interactions(data, **sizes)
        for name in options.recommenders.split(","):
            tell(f"  {name}")
            report[name] = in_child("benchmarks.scale", {"name": name, "data": str(data), "items": options.items})
            tell(f"  {report[name]}")
    print(json.dumps(report, indent=1))


def measured(job: dict[str, Any]) -> dict[str, Any]:
    """What the child does: read, fit, save, and serve from the saved files."""
    start = time.perf_counter()
    with np.load(job["data"]) as arrays:
        interactions = Interactions.from_arrays(arrays["users"], arrays["items"], arrays["times"])
    read = time.perf_counter() - start
    read_gb = peak_gb()
    histories = some_histories(interactions)
    catalogue = made_up_catalogue(job["items"]) if job["name"] == "content" else None
    start = time.perf_counter()
    model = RECOMMENDERS[job["name"]]().fit(interactions, catalogue)
    fit = time.perf_counter() - start
    fit_gb = peak_gb()
    at = interactions.newest
    del interactions
    with tempfile.TemporaryDirectory() as folder:
        artifact = Path(folder) / "artifact"
        artifacts.save(model, artifact)
        del model
        size = sum(file.stat().st_size for file in artifact.iterdir())
        served = served_ms(artifacts.load(artifact), histories, at)
    return {
        "read_s": round(read, 1), "read_peak_gb": read_gb, "fit_s": round(fit, 1), "fit_peak_gb": fit_gb,
        "artifact_mb": round(size / 2**20, 1), "one_shopper_top_20_ms": served,
    }  # fmt: skip


def served_ms(model: Any, histories: list[History], at: float | None) -> dict[str, Any]:
    recommend(model, histories[:1], LENGTH, at=at)
    times = []
    for history in histories:
        start = time.perf_counter()
        recommend(model, [history], LENGTH, at=at)
        times.append(1000 * (time.perf_counter() - start))
    p50, p95, p99 = np.percentile(times, [50, 95, 99]).round(2).tolist()
    return {"n": len(times), "p50": p50, "p95": p95, "p99": p99}


def peak_gb() -> float:
    """Of this process so far."""
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 if sys.platform == "linux" else 1024)
    return round(kilobytes / 2**20, 2)


def some_histories(interactions: Interactions) -> list[History]:
    """The live histories of shoppers drawn at random."""
    drawn = np.random.default_rng(1).permutation(interactions.n_users)[:N_SERVED]
    kept = np.flatnonzero(np.isin(interactions.users, drawn))
    kept = kept[np.argsort(interactions.users[kept], kind="stable")]
    starts = np.flatnonzero(np.diff(interactions.users[kept], prepend=-1))
    items, times = interactions.item_ids[interactions.items[kept]], interactions.timestamps[kept]
    pairs = zip(np.split(items, starts[1:]), np.split(times, starts[1:]), strict=True)
    return [History(mine.tolist(), when.tolist()) for mine, when in pairs]


def write_interactions(path: Path, *, users: int, items: int, interactions: int, seed: int = 0) -> None:
    """Shoppers of very different activity; items by Zipf's law, most of them of the shopper's own cluster."""
    rng = np.random.default_rng(seed)
    activity = rng.lognormal(0.0, 1.0, users)
    who = np.concatenate([np.arange(users), _drawn(activity, interactions - users, rng)])
    cluster_of = rng.integers(0, CLUSTERS, users)
    members = np.array_split(rng.permutation(items), CLUSTERS)  # in order of popularity within each
    width = min(map(len, members))
    table = np.stack([each[:width] for each in members])
    ranks = _drawn(1.0 / np.arange(1, width + 1) ** 0.8, interactions, rng)
    own = rng.random(interactions) < OWN
    clusters = np.where(own, cluster_of[who], rng.integers(0, CLUSTERS, interactions))
    newest = 1_700_000_000
    times = newest - rng.integers(0, DAYS * 86_400, interactions)
    np.savez(path, users=who.astype(np.int32), items=table[clusters, ranks].astype(np.int32), times=times)


def _drawn(weights: npt.NDArray[np.float64], n: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """``n`` places, each as often as its weight says."""
    steps = np.cumsum(weights)
    return np.searchsorted(steps, rng.random(n) * steps[-1], side="right")


def made_up_catalogue(n_items: int, seed: int = 0) -> Catalogue:
    """A category path, a brand, a price and a short title of each item."""
    rng = np.random.default_rng(seed)
    leaf, brand = rng.integers(0, 400, n_items), rng.integers(0, 2000, n_items)
    words = np.asarray(["".join(rng.choice(list("abcdefghiklmnoprstu"), 6)) for _ in range(3000)])
    titles = words[rng.integers(0, words.size, (n_items, 3))]
    return Catalogue.from_columns(
        np.arange(n_items),
        text=[" ".join(title) for title in titles],
        category=[(f"department {each // 20}", f"shelf {each}") for each in leaf],
        brand=[f"brand {each}" for each in brand],
        price=np.round(rng.lognormal(2.0, 1.0, n_items), 2),
    )


if __name__ == "__main__":
    main()
