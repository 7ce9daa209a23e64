"""Everybody's cleaned interactions as Parquet files, a few shoppers at a time, for who cannot hold them in memory.

They hold who did what. A training deletes its export at its end; one that somebody asked for goes after a day, or as
soon as a shopper is erased whom it may hold.
"""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import structlog
from django.utils import timezone

from reco_engine.data.interactions import Interactions
from reco_engine.spark import Part, Writer, read_parts
from shop_reco.conf import reco_settings
from shop_reco.events.cleaning import Kept, clean_each, group_suspicions, people_of
from shop_reco.events.flags import raise_flags
from shop_reco.events.selectors import flags_in_force

from ..learning import Said, accepted_feedback, weighed
from ..models import TrainingRun
from ..selectors import last_erasure
from .samples import Sample

logger = structlog.get_logger(__name__)
PART_ROWS = 500_000
"""Interactions of a file, or little more: those of whole shoppers."""
HOURS = 24
"""How long an export lies that no training reads."""
TABLE = "table"
OURS = re.compile(r"[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True, eq=False)
class Exported:
    """What lies in an export's folder, and all interactions of some shoppers.

    Attributes:
        table: The folder of the Parquet files.
        newest: Unix seconds of the newest interaction; None where there is none.
        report: What was not used, as a cleaning in memory tells it.
        flagged: How many flags were raised, by rule.
        kept_out: Shoppers with a flag, and their interactions.
    """

    table: Path
    sample: Interactions
    n_interactions: int
    n_users: int
    n_items: int
    newest: float | None
    report: Mapping[str, Any]
    flagged: Mapping[str, int]
    kept_out: Mapping[str, int]


def export_interactions(*, name: str, until: dt.datetime, progress: Callable[[float], None] | None = None) -> Exported:
    """Write what a training at ``until`` may learn from to the folder ``name`` below SPARK_ROOT.

    Consent, cleaning, flags and accepted feedback count as in a training in memory; shoppers who are found out are
    flagged, and left out. Written beside and renamed; a folder of that name is replaced. Memory holds one file's
    interactions and SPARK_SAMPLE of them; what only groups of shoppers betray is looked for among the latter.

    Args:
        name: 32 hexadecimal digits.
        progress: Hears the share of shoppers who are read, 0 to 1; raising from it ends the export.
    """
    root = spark_root()
    folder, draft = root / name, root / f".{name}"
    for old in (folder, draft):
        shutil.rmtree(old, ignore_errors=True)
    try:
        for each in ("read", TABLE):
            (draft / each).mkdir(parents=True)
        exported = _written(draft, folder, until, progress)
        shutil.rmtree(draft / "read")
        draft.rename(folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return exported


def discard_export(*, name: str) -> None:
    """Delete an export, and whatever a training has put beside it."""
    shutil.rmtree(spark_root() / name, ignore_errors=True)


def trim_exports(*, now: dt.datetime | None = None) -> int:
    """Delete exports that no training reads and that are a day old, or older than an erasure; returns how many."""
    root, now = spark_root(), now or timezone.now()
    if not root.is_dir():
        return 0
    running = TrainingRun.objects.filter(state=TrainingRun.State.RUNNING).values_list("public_id", flat=True)
    read = {each.hex for each in running}
    day, erased = now - dt.timedelta(hours=HOURS), last_erasure()
    latest = day if erased is None else max(day, erased)
    gone = [each for each in root.iterdir() if (name := each.name.removeprefix(".")) not in read
            and OURS.fullmatch(name) and each.stat().st_mtime <= latest.timestamp()]  # fmt: skip
    for each in gone:
        shutil.rmtree(each, ignore_errors=True)
        logger.info("export_trimmed", name=each.name)
    return len(gone)


def spark_root() -> Path:
    reco = reco_settings()
    return Path(reco.SPARK_ROOT or reco.ARTIFACTS_ROOT / "spark").absolute()


def _written(draft: Path, folder: Path, until: dt.datetime, progress: Callable[[float], None] | None) -> Exported:
    reading = _Reading(Writer(draft / "read"))
    report, bursts = clean_each(reading.take, until=until, progress=progress)
    found = group_suspicions(reading.end(), at=until.timestamp())
    flagged = raise_flags(suspicions=[*bursts, *found])
    allowed = _Allowed(Writer(draft / TABLE))
    for part in read_parts(draft / "read"):
        allowed.take(part.interactions())
    feedback = allowed.end()
    return Exported(
        table=folder / TABLE,
        sample=allowed.sample.interactions(),
        n_interactions=allowed.writer.n_rows,
        n_users=allowed.n_users,
        n_items=len(allowed.items),
        newest=allowed.newest,
        report={**report, "feedback": feedback},
        flagged=flagged,
        kept_out=allowed.kept_out,
    )


class _Reading:
    """Gathers the interactions of whole shoppers until they are worth a file."""

    def __init__(self, writer: Writer) -> None:
        self._writer, self._sample = writer, Sample(reco_settings().SPARK_SAMPLE)
        self._waiting: list[Kept] = []
        self._n_waiting = 0

    def take(self, kept: Kept) -> None:
        self._waiting.append(kept)
        self._n_waiting += kept[0].size
        if self._n_waiting >= PART_ROWS:
            self._flush()

    def end(self) -> Interactions:
        """Write the rest; all interactions of some of the shoppers."""
        self._flush()
        return self._sample.interactions()

    def _flush(self) -> None:
        if self._waiting:
            columns: list[Any] = [np.concatenate(column) for column in zip(*self._waiting, strict=True)]
            part = Part(*columns)
            self._writer.add(part)
            self._sample.take(part)
        self._waiting, self._n_waiting = [], 0


class _Allowed:
    """Leaves out whoever is flagged, and weighs what staff accepted of the feedback, a file of shoppers at a time."""

    def __init__(self, writer: Writer) -> None:
        self.writer, self.sample = writer, Sample(reco_settings().SPARK_SAMPLE)
        self.n_users, self.newest = 0, cast("float | None", None)
        self.items: set[int] = set()
        self.kept_out = {"shoppers": 0, "events": 0}
        self._flagged = np.asarray(sorted(people_of(flags_in_force())), dtype=np.int64)
        self._feedback: dict[int, list[Said]] = {}
        for each in accepted_feedback():
            self._feedback.setdefault(each.person, []).append(each)
        self._counts = {"removed": 0, "added": 0}

    def take(self, interactions: Interactions) -> None:
        """All interactions of some shoppers."""
        gone = np.isin(interactions.user_ids, self._flagged)
        kept = interactions.where(~gone[interactions.users]) if gone.any() else interactions
        self.kept_out["shoppers"] += interactions.n_users - kept.n_users
        self.kept_out["events"] += len(interactions) - len(kept)
        said = [each for person in interactions.user_ids.tolist() for each in self._feedback.pop(person, [])]
        self._add(kept, said)

    def end(self) -> dict[str, int]:
        """Take the feedback of who did nothing else; how much there was of each kind, and what it changed."""
        rest = [each for told in self._feedback.values() for each in told]
        self._add(Interactions.from_arrays([], [], [], []), rest)
        return self._counts

    def _add(self, interactions: Interactions, said: list[Said]) -> None:
        weighted, counts = weighed(interactions, said, like_weight=reco_settings().LIKE_WEIGHT)
        self._counts |= {name: self._counts.get(name, 0) + n for name, n in counts.items()}
        part = Part.of(weighted)
        self.writer.add(part)
        self.sample.take(part)
        self.n_users += weighted.n_users
        self.items.update(weighted.item_ids.tolist())
        if weighted.newest is not None:
            self.newest = max(weighted.newest, self.newest or weighted.newest)
