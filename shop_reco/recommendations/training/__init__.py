"""From a request to a live version: claimed, fitted in a process of its own, judged, promoted."""

from .exports import export_interactions, trim_exports
from .leftovers import prune_versions, sweep_leftovers
from .running import run_next, work_off

__all__ = ["export_interactions", "prune_versions", "run_next", "sweep_leftovers", "trim_exports", "work_off"]
