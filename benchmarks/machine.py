"""What a figure was measured on: the device, the libraries, and the memory of a piece of work."""

from __future__ import annotations

import ctypes
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

from reco_engine.evaluation.memory import with_peak_memory

LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "sparse-dot-topn", "implicit", "lenskit")
INSTALL = "not installed: pip install -r requirements-bench.txt"
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "RAYON", "LK")}
T = TypeVar("T")


def device() -> str:
    """The processor, its cores, the interpreter and the versions of what is compared."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = ", ".join(f"{name} {version}" for name in LIBRARIES if (version := _version(name)))
    return f"{_processor()}, {cores} cores, Python {platform.python_version()}, {versions}"


def tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def fit_peak(work: Callable[[], T]) -> tuple[T, float | None]:
    """What ``work`` returns, and the MB by which the process grew at its peak; nothing spare is left to hide in."""
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)
    return with_peak_memory(work)


def in_child(module: str, job: dict[str, Any], *, one_thread: bool = False) -> dict[str, Any]:
    """Do one job in a fresh process of ``module``, which reads it from its standard input and prints JSON."""
    env = {**os.environ, **(ONE_THREAD if one_thread else {})}
    done = subprocess.run(
        [sys.executable, "-m", module, "--child"], input=json.dumps(job), env=env, capture_output=True, text=True
    )
    if done.returncode != 0:
        return {"error": done.stderr.strip()[-300:] or f"ended with status {done.returncode}"}
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def tried(name: str, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What ``work`` reports; a failure is reported in its place, so that the others are measured all the same."""
    tell(f"  {name}")
    try:
        return work()
    except ModuleNotFoundError as error:
        return {"error": f"{INSTALL} ({error.name})"}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = dict(line.split(":", 1) for line in reversed(lines) if ":" in line)
    told = {key.strip(): value.strip() for key, value in facts.items()}
    model = told.get("model name", platform.machine())
    return f"{model} (family {told.get('cpu family')}, model {told.get('model')})"
