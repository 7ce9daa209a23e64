"""What is wrong with a deployment, and what to do about it: one small function for each question."""

from __future__ import annotations

from .examining import CHECKS, examine
from .findings import Finding, Verdict, failing, ok, skipped, warning

__all__ = ["CHECKS", "Finding", "Verdict", "examine", "failing", "ok", "skipped", "warning"]
