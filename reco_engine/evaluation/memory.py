"""How much memory a piece of work needs at its peak."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def with_peak_memory(work: Callable[[], T]) -> tuple[T, float | None]:
    """What ``work`` returns, and the MB that the process grew by at its peak meanwhile.

    Memory that the process already had to spare is not seen. None where the system does not tell (it is Linux
    that lets a process start its peak anew).
    """
    before = _reset_peak()
    result = work()
    peak = None if before is None else _kilobytes("VmHWM")
    return result, None if before is None or peak is None else max(peak - before, 0.0) / 1024


def _reset_peak() -> float | None:
    """Start the peak anew from the present use, in kB, which is returned."""
    try:
        RESET.write_text("5")
    except OSError:
        return None
    return _kilobytes("VmRSS")


def _kilobytes(name: str) -> float | None:
    for line in STATUS.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return float(line.split()[1])
    return None
