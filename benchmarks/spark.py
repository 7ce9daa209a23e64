"""Training in memory and with Spark, side by side: ``python -m benchmarks.spark``, JSON out.

On Complete Journey, and on interactions that are made up as in ``benchmarks.scale``, each kind that Spark fits is
fitted by both from the same Parquet files, each in a process of its own, and their artifacts are compared: counts,
orders, scores, bytes. ``peak_mb`` is the most memory that the process and all its children had at once, what they
share counted once and files that are mapped not at all, since the system takes those back when it must (looked at
once a second); for Spark that is Java, the tasks and the driver together.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import device, tell
from benchmarks.scale import made_up_catalogue, write_interactions
from reco_engine.artifacts import load, save
from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import Interactions
from reco_engine.recommenders import ContentBased, ItemCF, Popularity
from reco_engine.spark import Part, Writer, cluster, fit, read_parts

AT = 1_800_000_000.0
PART_ROWS = 500_000
N_ITEMS = 20_000
EVENTS_A_SHOPPER = 20
MAKERS = {
    "popularity": Popularity,
    "item_cf": lambda: ItemCF(0.5, 0.5, 0.3, 180.0, 60.0, 0.0, n_targets=200, min_support=5),
    "content": lambda: ContentBased(min_support=5),
}
LOOK = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", default="1000000,10000000", help="sizes made up, comma separated; empty: none")
    parser.add_argument("--kinds", default="popularity,item_cf,content")
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--no-journey", action="store_true")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(fitted(json.load(sys.stdin))))
        return
    report: dict[str, Any] = {"device": device(), "master": options.master}
    sizes = [int(size) for size in options.events.split(",") if size]
    for name in ([] if options.no_journey else ["complete_journey"]) + [f"{size:,} events" for size in sizes]:
        with tempfile.TemporaryDirectory() as folder:
            write_table(name, Path(folder))
            report[name] = {
                kind: compared(kind, name, Path(folder), options.master) for kind in options.kinds.split(",")
            }
    print(json.dumps(report, indent=1))


def write_table(name: str, folder: Path) -> None:
    """The interactions as Parquet files below ``folder``."""
    tell(name)
    (folder / "table").mkdir()
    if name == "complete_journey":
        from benchmarks.quality import lines, seconds

        bought, _ = lines()
        users, items = bought["household_id"].to_numpy(), bought["product_id"].to_numpy()
        times = np.asarray(seconds(bought["transaction_timestamp"]), dtype=np.float64)
    else:
        size = int(name.split(" ")[0].replace(",", ""))
        made = folder / "made.npz"
        write_interactions(made, users=size // EVENTS_A_SHOPPER, items=N_ITEMS, interactions=size)
        with np.load(made) as arrays:
            users, items, times = arrays["users"], arrays["items"], arrays["times"].astype(np.float64)
        made.unlink()
    writer = Writer(folder / "table")
    for start in range(0, users.size, PART_ROWS):
        rows = slice(start, start + PART_ROWS)
        writer.add(Part(users[rows], items[rows], times[rows], np.ones(times[rows].size)))


def compared(kind: str, name: str, folder: Path, master: str) -> dict[str, Any]:
    """Both fits of one kind, and how far they differ."""
    report: dict[str, Any] = {}
    for way in ("numpy", "spark"):
        job = {"kind": kind, "name": name, "folder": str(folder), "master": master if way == "spark" else ""}
        report[way] = watched(job)
        tell(f"  {kind} {way} {report[way]}")
    if all("error" not in told for told in report.values()):
        report["same"] = differences(*(load(folder / f"{kind}-{way}") for way in ("numpy", "spark")))
        report["same"]["bytes"] = report["numpy"].pop("sha256") == report["spark"].pop("sha256")
    return report


def fitted(job: dict[str, Any]) -> dict[str, Any]:
    """What the child does: read, fit and store one model."""
    folder, kind = Path(job["folder"]), job["kind"]
    catalogue = _catalogue(job["name"]) if kind == "content" else None
    start = time.perf_counter()
    if job["master"]:
        work = folder / f"{kind}-work"
        work.mkdir()
        none = Interactions.from_arrays([], [], [])
        with cluster(job["master"]) as spark:
            model = fit(MAKERS[kind](), folder / "table", spark, catalogue, sample=none, work=work, at=AT)
    else:
        columns = zip(*((p.users, p.items, p.timestamps, p.weights) for p in read_parts(folder / "table")), strict=True)
        interactions = Interactions.from_arrays(*(np.concatenate(column) for column in columns))
        model = MAKERS[kind]().fit(interactions, catalogue, at=AT)
    manifest = save(model, folder / f"{kind}-{'spark' if job['master'] else 'numpy'}")
    return {"seconds": round(time.perf_counter() - start, 1), "sha256": manifest.sha256}


def _catalogue(name: str) -> Catalogue:
    if name != "complete_journey":
        return made_up_catalogue(N_ITEMS)
    from benchmarks.quality import catalogue_of, lines

    bought, goods = lines()
    return catalogue_of(goods[goods["product_id"].isin(bought["product_id"])], bought)


def differences(one: Any, other: Any) -> dict[str, Any]:
    """Of all learnt arrays: whether whole numbers and orders are equal, and the largest difference of the others."""
    exact, largest = True, 0.0
    for field, learnt in vars(one).items():
        mine, theirs = np.asarray(learnt), np.asarray(vars(other)[field])
        if not field.endswith("_") or mine.shape != theirs.shape or mine.dtype.kind != "f":
            exact &= mine.shape == theirs.shape and bool(np.array_equal(mine, theirs))
        elif mine.size:
            largest = max(largest, float(np.max(np.abs(mine - theirs))))
    return {"whole_numbers_and_orders": exact, "largest_difference": largest}


def watched(job: dict[str, Any]) -> dict[str, Any]:
    """Do a job in a fresh process and watch its memory."""
    command = [sys.executable, "-m", "benchmarks.spark", "--child"]
    with tempfile.TemporaryFile("w+") as told, tempfile.TemporaryFile("w+") as log:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=told, stderr=log, text=True)
        assert child.stdin is not None
        child.stdin.write(json.dumps(job))
        child.stdin.close()
        peak = driver = 0.0
        while child.poll() is None:
            sizes = {process: _pss_mb(process) for process in family(child.pid)}
            peak, driver = max(peak, sum(sizes.values())), max(driver, sizes.get(child.pid, 0.0))
            time.sleep(LOOK)
        told.seek(0)
        log.seek(0)
        if child.returncode != 0:
            return {"error": log.read().strip()[-300:] or f"ended with status {child.returncode}"}
        found: dict[str, Any] = json.loads(told.read())
    return {**found, "peak_mb": round(peak), "driver_peak_mb": round(driver)}


def family(root: int) -> Iterator[int]:
    """A process and all that came of it."""
    parents = {int(each.name): _parent(each) for each in Path("/proc").iterdir() if each.name.isdigit()}
    found = {root}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    yield from found


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _pss_mb(process: int) -> float:
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    found = {name: int(size) for name, size in re.findall(r"^(Pss_Anon|Pss_Shmem|Pss): +(\d+) kB", text, re.M)}
    return (found.get("Pss_Anon", found.get("Pss", 0)) + found.get("Pss_Shmem", 0)) / 1024


if __name__ == "__main__":
    os.environ.setdefault("PYTHONPATH", os.getcwd())
    main()
