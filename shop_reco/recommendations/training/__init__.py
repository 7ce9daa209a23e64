"""From a request to a live version: claimed, fitted in a process of its own, judged, promoted."""

from .running import fit_claimed, run_next, work_off

__all__ = ["fit_claimed", "run_next", "work_off"]
