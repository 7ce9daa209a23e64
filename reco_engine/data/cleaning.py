"""Cleaning events by rules, each of which tells what it threw away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from .events import EventBatch, Mask

N_EXAMPLES = 5


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one rule made of a batch; events and masks are of the batch's length.

    Attributes:
        events: The events, with the values that the rule corrected.
        keep: Which of them stay, shape (n_events,).
        changed: Which of them have a corrected value, shape (n_events,).
    """

    events: EventBatch
    keep: Mask
    changed: Mask

    @classmethod
    def kept(cls, events: EventBatch, keep: Mask) -> Outcome:
        """The outcome of a rule that corrects nothing."""
        return cls(events, keep, np.zeros(len(events), dtype=bool))


class Rule(Protocol):
    """Finds what is wrong with events of one kind of fault; its settings are its fields."""

    @property
    def name(self) -> str:
        """What the report calls it; no two rules of one cleaning have the same."""

    def __call__(self, events: EventBatch, at: float) -> Outcome:
        """Judge the events as of the instant ``at``, unix seconds.

        What it says of a shopper's events depends on that shopper's events alone, so that a live history is
        cleaned as the training data is.
        """


@dataclass(frozen=True)
class RuleReport:
    """How many events one rule dropped and changed, and the rows of the first few."""

    name: str
    dropped: int
    changed: int
    dropped_rows: tuple[int, ...]
    changed_rows: tuple[int, ...]

    def __str__(self) -> str:
        shown = ", ".join(map(str, (self.dropped_rows or self.changed_rows)))
        return f"{self.name}: dropped {self.dropped}, changed {self.changed}" + (f" (rows {shown})" if shown else "")


@dataclass(frozen=True)
class CleaningReport:
    """Rows in, rows out, and what each rule did, in the order they were applied."""

    rows_in: int
    rows_out: int
    rules: tuple[RuleReport, ...]

    @property
    def dropped(self) -> dict[str, int]:
        """Events dropped by each rule."""
        return {rule.name: rule.dropped for rule in self.rules}

    @property
    def changed(self) -> dict[str, int]:
        """Events kept with a corrected value by each rule."""
        return {rule.name: rule.changed for rule in self.rules}

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON can hold it."""
        return asdict(self)

    def __str__(self) -> str:
        return "\n".join((f"{self.rows_in} events in, {self.rows_out} out", *map(str, self.rules)))


def clean(events: EventBatch, rules: Sequence[Rule], *, at: float) -> tuple[EventBatch, CleaningReport]:
    """Apply ``rules`` in order; the report says how many events each dropped and changed.

    Args:
        rules: See ``cleaning_rules`` for those there are; leaving one out switches it off.
        at: The instant that "in the future" is judged by, unix seconds.
    Returns:
        The events that stay, in the order given, and the report.
    """
    rows_in, reports = len(events), []
    for rule in rules:
        outcome = rule(events, at)
        changed = outcome.changed & outcome.keep
        reports.append(
            RuleReport(
                name=rule.name,
                dropped=int(np.count_nonzero(~outcome.keep)),
                changed=int(np.count_nonzero(changed)),
                dropped_rows=tuple(events.rows[~outcome.keep][:N_EXAMPLES].tolist()),
                changed_rows=tuple(events.rows[changed][:N_EXAMPLES].tolist()),
            )
        )
        events = outcome.events.where(outcome.keep)
    return events, CleaningReport(rows_in, len(events), tuple(reports))
