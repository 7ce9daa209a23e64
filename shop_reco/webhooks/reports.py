"""What came of a delivery."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from shop_reco.products.services import RowOutcome, State


@dataclass(slots=True)
class Report:
    """What came of a delivery, in counts; ``rejected`` has the catalogue's rows that need mending."""

    counts: Counter[str] = field(default_factory=Counter)
    rejected: list[RowOutcome] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    """Codes and messages of events that were refused; most wait among the rejected events, but for
    those that no replay could mend, and those past REJECTED_A_DAY of a shopper."""

    def rows(self, outcomes: Iterable[RowOutcome]) -> None:
        for outcome in outcomes:
            self.counts[f"rows {outcome.state.value}"] += 1
            if outcome.state is State.REJECTED:
                self.rejected.append(outcome)
