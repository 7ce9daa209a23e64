"""What training learns from: everybody's events, cleaned a few shoppers at a time, and a report of what was not used.

Memory holds the events of a few hundred shoppers, and of the others what was kept: who, what, when, how much.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from reco_engine.data.bots import Bots, Burst
from reco_engine.data.cleaning import N_EXAMPLES, clean
from reco_engine.data.cleaning_rules import ImpossibleTimes
from reco_engine.data.cleaning_settings import rule_of, settings_of
from reco_engine.data.events import EventBatch
from reco_engine.data.hammering import Hammering, Suspect
from reco_engine.data.interactions import Interactions
from shop_reco.conf import RecoSettings, reco_settings
from shop_reco.products.selectors import sensitive_categories
from shop_reco.users.models import Consent
from shop_reco.users.selectors import account_links, all_consenting

from .engine import TYPES, Columns, possible_times, rules_of, weights_of
from .flags import Suspicion
from .models import ShopperFlag
from .selectors import training_rows

PEOPLE = 200
"""Shoppers whose events are read at once."""
CHUNK = 20_000
"""Rows that are Python objects at once."""
OLDER = "older_than_history"
"""What the report calls events beyond the newest HISTORY_EVENTS of a shopper."""
UNUSABLE = ("impossible_times", "unknown_products", "sensitive_products", OLDER)
"""What does not get as far as the rules, nor counts among the newest HISTORY_EVENTS, but for the last."""
Ids = npt.NDArray[np.int64]
Kept = tuple[Ids, Ids, npt.NDArray[np.float64], npt.NDArray[np.float64]]
"""Users, items, unix seconds and weights."""


@dataclass(slots=True)
class _Tally:
    """What one rule did, over all blocks."""

    dropped: int = 0
    changed: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, dropped: int, changed: int, examples: Iterable[str]) -> None:
        self.dropped += dropped
        self.changed += changed
        self.examples += islice(examples, N_EXAMPLES - len(self.examples))


@dataclass(frozen=True, eq=False)
class CleanedEvents:
    """What everybody did, cleaned, with a row a shopper; visitors count as the accounts that they turned out to be.

    Attributes:
        interactions: Of all shoppers who allow training, whatever was found of them.
        report: Rows in and out, what each rule did with a few event ids, and prices that were missing.
        suspicions: What the rules about whole shoppers found.
    """

    interactions: Interactions
    report: dict[str, Any]
    suspicions: list[Suspicion]

    def without(self, people: Collection[int]) -> Interactions:
        """The interactions of all but these shoppers (primary keys of accounts)."""
        gone = np.isin(self.interactions.user_ids, np.fromiter(people, np.int64, len(people)))
        return self.interactions.where(~gone[self.interactions.users]) if gone.any() else self.interactions


def clean_events(*, until: dt.datetime, progress: Callable[[float], None] | None = None) -> CleanedEvents:
    """Read and clean all that may be learnt from; one query for each few hundred shoppers.

    Args:
        progress: Hears the share of shoppers who are read, 0 to 1; raising from it ends the reading.
    """
    started, kept = time.monotonic(), _Kept()
    report, bursts = clean_each(kept.take, until=until, progress=progress)
    interactions = kept.interactions()
    suspicions = [*bursts, *group_suspicions(interactions, at=until.timestamp())]
    report = {**report, "seconds": round(time.monotonic() - started, 2)}
    return CleanedEvents(interactions, report, suspicions)


def clean_each(
    take: Callable[[Kept], None], *, until: dt.datetime, progress: Callable[[float], None] | None = None
) -> tuple[dict[str, Any], list[Suspicion]]:
    """Read and clean as ``clean_events`` does, and pass on what was kept of a few hundred shoppers at a time.

    Args:
        take: Is given users, items, unix seconds and weights, each of shape (n,), of whole shoppers, in the order of
            their keys.
    Returns:
        The report, and what the rules about one shopper found.
    """
    started, reco, at = time.monotonic(), reco_settings(), until.timestamp()
    links, sensitive = account_links(), list(sensitive_categories())
    work = _Work(reco, at)
    n_people = all_consenting(purpose=Consent.Purpose.TRAINING).count() if progress is not None else 0
    n_read = 0
    for shopper_ids in _blocks(links):
        n_read += len(shopper_ids)
        if progress is not None:
            progress(n_read / max(n_people, n_read))
        take(work.clean(_Block.read(shopper_ids, links, sensitive, reco, at)))
    report = {**work.report(), "seconds": round(time.monotonic() - started, 2)}
    return report, [_of_burst(burst) for burst in work.bursts]


def group_suspicions(interactions: Interactions, *, at: float) -> list[Suspicion]:
    """What the rule about groups of shoppers finds, of whoever's interactions these are."""
    hammering: Hammering | None = rule_of(reco_settings().CLEANING, "hammering")
    return [] if hammering is None else [_of_suspect(each) for each in hammering.suspects(interactions, at=at)]


def training_interactions(*, until: dt.datetime) -> Interactions:
    """All that may be learnt from, but for what a rule about whole shoppers finds; flags and reports aside."""
    return clean_events(until=until).interactions


def people_of(shopper_ids: Collection[int]) -> set[int]:
    """Accounts of the shoppers, themselves where they are no linked visitor; one query."""
    links = account_links()
    return {links.get(pk, pk) for pk in shopper_ids}


def _blocks(links: Mapping[int, int]) -> Iterator[list[int]]:
    """Keys of those who allow training, account by account, a few hundred accounts at a time; one query."""
    allowed = all_consenting(purpose=Consent.Purpose.TRAINING).order_by("shopper_id")
    keys = np.fromiter(allowed.iterator(), np.int64)
    accounts = np.fromiter((links.get(key, key) for key in keys.tolist()), np.int64, keys.size)
    order = np.lexsort((keys, accounts))
    keys, accounts = keys[order], accounts[order]
    starts = np.flatnonzero(np.diff(accounts, prepend=-1))[::PEOPLE]
    for start, end in zip(starts, np.append(starts[1:], keys.size), strict=False):
        yield keys[start:end].tolist()


@dataclass(frozen=True, eq=False)
class _Block:
    """The newest events of some accounts, by account and then as they happened.

    Attributes:
        names: Ids of the events, as bytes, shape (n_events,).
        ages: How many later events of the account there are, shape (n_events,).
        n_read: Events read, those that are not here too.
        unusable: What cannot be cleaned by rules, and what is older than all that anything looks at.
    """

    columns: Columns
    accounts: Ids
    names: npt.NDArray[np.bytes_]
    ages: Ids
    n_read: int
    unusable: dict[str, _Tally]

    @classmethod
    def read(
        cls,
        shopper_ids: Sequence[int],
        links: Mapping[int, int],
        sensitive: Sequence[int],
        reco: RecoSettings,
        at: float,
    ) -> _Block:
        """Read a block; of a shopper with very many events, the newest that cleaning looks at."""
        times, depth = _learnt_times(reco), _depth(reco)
        parts: list[tuple[Columns, Ids, npt.NDArray[np.bytes_]]] = []
        n_read, unusable = 0, {name: _Tally() for name in UNUSABLE}
        last, n_last = -1, 0  # the shopper of the row before, and how many events of them were read
        rows = training_rows(shopper_ids=shopper_ids)
        while chunk := list(islice(rows, CHUNK)):
            told = list(zip(*chunk, strict=True))
            columns = Columns.of(told)
            categories, stocked = (np.asarray(told[place], dtype=np.float64) for place in (-4, -3))
            shoppers, names = np.asarray(told[-2], dtype=np.int64), np.asarray(told[-1], dtype="S36")
            usable = np.ones(shoppers.size, dtype=bool)
            for name, wrong in (
                ("impossible_times", _impossible(columns.timestamps, times, at)),
                ("unknown_products", np.isnan(stocked)),
                ("sensitive_products", np.isin(categories, sensitive)),
            ):
                found = usable & wrong
                unusable[name].add(int(np.count_nonzero(found)), 0, _texts(names[found]))
                usable &= ~wrong
            ranks = _ranks(shoppers, usable, last, n_last)
            last, n_last = int(shoppers[-1]), int(ranks[-1] + usable[-1])
            deep = usable & (ranks >= depth)
            unusable[OLDER].add(int(np.count_nonzero(deep)), 0, _texts(names[deep]))
            keep = usable & ~deep
            parts.append((columns.where(keep), shoppers[keep], names[keep]))
            n_read += len(chunk)
        columns = Columns.joined([part[0] for part in parts])
        shoppers = np.concatenate([np.empty(0, np.int64), *(part[1] for part in parts)])
        names = np.concatenate([np.empty(0, "S36"), *(part[2] for part in parts)])
        accounts = _accounts(shoppers, links)
        linked = not np.array_equal(accounts, shoppers)
        order = np.lexsort((names, columns.timestamps, accounts)) if linked else np.arange(shoppers.size)[::-1]
        accounts = accounts[order]
        ends = np.flatnonzero(np.append(accounts[1:] != accounts[:-1], True)[: accounts.size])
        ages = np.repeat(ends, np.diff(ends, prepend=-1)) - np.arange(accounts.size)
        return cls(columns.where(order), accounts, names[order], ages, n_read, unusable)

    def newest(self, n: int) -> tuple[Columns, EventBatch, npt.NDArray[np.bytes_]]:
        """The newest ``n`` events of each account."""
        keep = self.ages < n
        columns = self.columns.where(keep)
        return columns, columns.batch(self.accounts[keep]), self.names[keep]


class _Kept:
    """What recommenders ask for, of all blocks."""

    def __init__(self) -> None:
        self._parts: list[Kept] = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0))]

    def take(self, part: Kept) -> None:
        self._parts.append(part)

    def interactions(self) -> Interactions:
        columns: list[Any] = [np.concatenate([part[place] for part in self._parts]) for place in range(4)]
        self._parts.clear()
        return Interactions.from_arrays(*columns)


class _Work:
    """What has come of the blocks so far."""

    def __init__(self, reco: RecoSettings, at: float) -> None:
        self._reco, self._at, self._weights = reco, at, weights_of(reco)
        self._bots: Bots | None = rule_of(reco.CLEANING, "bots")
        self._tallies = {name: _Tally() for name in UNUSABLE}
        self._rows_in = self._rows_out = self._unpriced = self._purchases = 0
        self.bursts: list[Burst] = []

    def clean(self, block: _Block) -> Kept:
        """What recommenders ask for of a block."""
        if self._bots is not None:
            self.bursts += self._bots.bursts(block.columns.batch(block.accounts))
        n_newest = self._reco.HISTORY_EVENTS
        columns, events, names = block.newest(n_newest)
        beyond = block.names[block.ages >= n_newest]
        self._tallies[OLDER].add(beyond.size, 0, _texts(beyond))
        for name, tally in block.unusable.items():
            self._tallies[name].add(tally.dropped, 0, tally.examples)
        bought = events.of_types((TYPES["purchase"],))
        events, report = clean(events, rules_of(self._reco), at=self._at)
        for rule in report.rules:
            rows = np.asarray(rule.dropped_rows or rule.changed_rows, dtype=np.int64)
            self._tallies.setdefault(rule.name, _Tally()).add(rule.dropped, rule.changed, _texts(names[rows]))
        self._rows_in += block.n_read
        self._rows_out += len(events)
        self._purchases += int(np.count_nonzero(bought))
        self._unpriced += int(np.count_nonzero(bought & ~np.isfinite(columns.prices)))
        weights = events.weighed(self._weights) * events.shares
        counts = weights > 0
        return events.users[counts], events.items[counts], events.timestamps[counts], weights[counts]

    def report(self) -> dict[str, Any]:
        way = (settings_of(self._reco.CLEANING, "event_prices") or {"missing": "keep"})["missing"]
        dropped = self._tallies["event_prices"].dropped if "event_prices" in self._tallies else 0
        return {
            "rows_in": self._rows_in,
            "rows_out": self._rows_out,
            "rules": [
                {"name": name, "dropped": tally.dropped, "changed": tally.changed, "examples": tally.examples}
                for name, tally in self._tallies.items()
            ],
            "missing": {
                "event_prices": {
                    "way": way, "of": self._purchases, "missing": self._unpriced, "filled": 0, "dropped": dropped,
                }
            },
        }  # fmt: skip


def _depth(reco: RecoSettings) -> int:
    """Newest events of a shopper that anything looks at."""
    bots: Bots | None = rule_of(reco.CLEANING, "bots")
    return reco.HISTORY_EVENTS if bots is None else max(reco.HISTORY_EVENTS, bots.depth)


def _learnt_times(reco: RecoSettings) -> ImpossibleTimes | None:
    """Nothing is learnt from after the instant of a training: what lies ahead, since a clock was set back, waits."""
    times = possible_times(reco)
    return None if times is None else replace(times, ahead=0.0)


def _impossible(timestamps: npt.NDArray[np.float64], times: ImpossibleTimes | None, at: float) -> npt.NDArray[np.bool_]:
    """Times that no event can have; where that rule is off, those that are none at all."""
    return ~np.isfinite(timestamps) if times is None else ~times.possible(timestamps, at)


def _ranks(shoppers: Ids, usable: npt.NDArray[np.bool_], last: int, n_last: int) -> Ids:
    """How many usable events each shopper has before each row, from the newest on."""
    before: Ids = np.cumsum(usable) - usable
    starts = np.flatnonzero(np.diff(shoppers, prepend=-1))
    ranks: Ids = before - np.repeat(before[starts], np.diff(np.append(starts, shoppers.size)))
    ranks[shoppers == last] += n_last
    return ranks


def _accounts(shoppers: Ids, links: Mapping[int, int]) -> Ids:
    known, places = np.unique(shoppers, return_inverse=True)
    return np.fromiter((links.get(key, key) for key in known.tolist()), np.int64, known.size)[places]


def _texts(names: npt.NDArray[np.bytes_]) -> list[str]:
    return [str(UUID(name.decode())) for name in names[:N_EXAMPLES].tolist()]


def _of_burst(burst: Burst) -> Suspicion:
    evidence = {"seconds": burst.seconds, "acts": burst.acts, "most": burst.most, "ended": _iso(burst.ended)}
    return Suspicion(int(str(burst.user)), ShopperFlag.Rule.BOTS, f"{burst.seconds:g}/{round(burst.ended)}", evidence)


def _of_suspect(suspect: Suspect) -> Suspicion:
    evidence = {
        "product": suspect.item,
        "events": suspect.events,
        "other_events": suspect.others,
        "shoppers": suspect.shoppers,
        "expected": suspect.expected,
        "deviations": suspect.deviations,
        "began": _iso(suspect.began),
        "ended": _iso(suspect.ended),
    }
    key = f"{suspect.item}/{round(suspect.newest)}"
    return Suspicion(int(str(suspect.user)), ShopperFlag.Rule.HAMMERING, key, evidence)


def _iso(second: float) -> str:
    return dt.datetime.fromtimestamp(second, dt.UTC).isoformat(timespec="seconds")
