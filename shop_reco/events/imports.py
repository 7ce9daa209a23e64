"""Events by the million: from a program that made drafts of them, or from a file."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import reset_queries, transaction
from django.utils import timezone

from shop_reco.conf import reco_settings
from shop_reco.tables.error_file import ErrorFile, path_beside
from shop_reco.tables.errors import FileError, TakenError
from shop_reco.tables.fields import Fields
from shop_reco.tables.reading import Dialect, batches, fingerprint, open_table
from shop_reco.tables.rows import BadRow, Row, Table
from shop_reco.tables.writing import Writing
from shop_reco.users.models import Consent

from .drafts import EventDraft, days_kept
from .errors import EventError
from .models import DataImport, Event
from .rejections import UNKEPT
from .rows import FIELDS, NEEDED, Identities, event_of, field_of, shopper_of
from .storing import hold, insert_events, mark_dirty, stored_digests
from .vouched import JudgedBatch, Said, Stored, judged_batch, stored_batch, tried

NOT_WRITTEN = UNKEPT | {"ERASED"}
"""Refusals that are counted and kept nowhere, an error file included."""
Told = Callable[[int, float], None]


def import_events(
    *, rows: Iterable[EventDraft], batch: int = 5000, progress: Callable[[int], None] | None = None
) -> int:
    """Store well-formed events in bulk, a transaction a batch; ids already stored are passed over.

    So is what is older than events are kept: it may have been folded already, and would count twice. Returns how
    many were new. ``progress`` hears how many rows were read so far.
    """
    rest, read, new = iter(rows), 0, 0
    while chunk := list(islice(rest, batch)):
        new += tried(lambda chunk=chunk: _store_drafts(chunk))  # type: ignore[misc]
        read += len(chunk)
        reset_queries()  # where DEBUG is on, each would be kept
        if progress is not None:
            progress(read)
    return new


@transaction.atomic
def _store_drafts(chunk: Sequence[EventDraft]) -> int:
    reco, now = reco_settings(), timezone.now()
    ages = {kind: dt.timedelta(days=days_kept(kind=kind, visitor=False, reco=reco)) for kind in Event.Type.values}
    drafts = {draft.id: (draft, draft.digest()) for draft in chunk if draft.occurred_at >= now - ages[draft.type]}
    hold({draft.shopper_id for draft in chunk})
    for event_id in stored_digests(list(drafts)):
        del drafts[event_id]
    inserted = insert_events(list(drafts.values()), received_at=now)
    mark_dirty({draft.shopper_id for draft, _ in drafts.values()})
    return len(inserted)


@transaction.atomic
def start_import(*, source: str, shift_weeks: int) -> DataImport:
    """Note that an import begins; the shift of the first one stays."""
    return DataImport.objects.get_or_create(source=source, defaults={"shift_weeks": shift_weeks})[0]


@transaction.atomic
def finish_import(*, source: str, report: Mapping[str, Any]) -> DataImport:
    """Note that an import ended, and what came of it."""
    DataImport.objects.filter(source=source).update(report=dict(report), finished_at=timezone.now())
    return DataImport.objects.get(source=source)


@dataclass(frozen=True, kw_only=True)
class EventFile:
    """A file of events, and what it takes to read it.

    ``purposes`` is what the shoppers in it consented to elsewhere, as ``source`` vouches; a shopper who decided here
    is left as they are, and with no purposes nobody is created.
    """

    path: Path
    source: str = "file"
    fields: Fields = field(default_factory=lambda: Fields(known=FIELDS))
    writing: Writing = field(default_factory=Writing)
    dialect: Dialect = field(default_factory=Dialect)
    purposes: Sequence[str] = ()
    errors: Path | None = None
    dry_run: bool = False
    restart: bool = False

    def key(self) -> str:
        """Under which how far it got is kept."""
        name = f"{self.source}: {self.path.name}"
        return name if len(name) <= 64 else f"{name[:46]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"

    def fingerprint(self) -> str:
        reading = repr((self.fields.mapped, self.fields.constants, self.writing, self.dialect, tuple(self.purposes)))
        return f"{fingerprint(self.path)}-{hashlib.sha256(reading.encode()).hexdigest()[:16]}"


@dataclass(slots=True)
class FileReport:
    """What became of a file: new + duplicates + rejected = read, over all its runs where it was interrupted."""

    read: int = 0
    new: int = 0
    duplicates: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    gone_on_from: int = 0
    unused: tuple[str, ...] = ()
    errors: Path | None = None

    def told(self) -> dict[str, Any]:
        errors = {"errors": str(self.errors)} if self.errors else {}
        return {
            "read": self.read, "new": self.new, "duplicates": self.duplicates, "rejected": self.rejected, **errors
        }  # fmt: skip


def import_event_file(*, file: EventFile, progress: Told | None = None) -> FileReport:
    """Import a CSV, JSON Lines or Parquet file of events, a transaction a batch, in memory flat in its length.

    Killed at any moment and called again it goes on after the last batch that was committed; a file that was
    imported before stores nothing new. Bad rows go to the error file and the good ones beside them are stored.

    Raises:
        FileError: If the file cannot be read, or read on; what was good before is stored.
    """
    table = open_table(path=file.path, dialect=file.dialect)
    try:
        return _FileImport(file, table).run(progress)
    finally:
        table.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared(Said):
    row: Row | BadRow


class _FileImport:
    def __init__(self, file: EventFile, table: Table) -> None:
        self.file, self.table = file, table
        self.report = FileReport()
        if table.columns is not None:
            self.report.unused = file.fields.check(table.columns, needed=NEEDED)
        unknown = set(file.purposes) - set(Consent.Purpose.values)
        if unknown:
            raise FileError(f"no purpose is called {sorted(unknown)[0]}; known: {', '.join(Consent.Purpose.values)}")
        self.identities = Identities(file.source)
        kept = {} if file.dry_run else self._begin()
        self._go_on_from(kept)
        place = kept.get("errors") or file.errors or path_beside(file.path, table.format)
        self.errors = ErrorFile(
            path=Path(place),
            format=table.format,
            columns=table.columns or (),
            delimiter=table.delimiter,
            size=int(kept.get("errors_bytes", 0)),
        )

    @transaction.atomic
    def _begin(self) -> dict[str, Any]:
        """Claim the file's row; returns what an interrupted import left there."""
        row = DataImport.objects.get_or_create(source=self.file.key())[0]
        row = DataImport.objects.select_for_update().get(pk=row.pk)
        kept, print_ = row.report.get("resume") or {}, self.file.fingerprint()
        if kept and not self.file.restart:
            if kept["fingerprint"] == print_:
                return dict(kept)
            raise FileError(
                f"{self.file.path}, or how it is read, changed since its import stopped after row {kept['read']}; "
                "put the old file and options back to go on, or give --restart to begin anew: "
                "what is stored already counts once"
            )
        row.report = {"resume": {"fingerprint": print_, "read": 0}}
        row.finished_at, row.started_at = None, timezone.now()
        row.save(update_fields=["report", "finished_at", "started_at"])
        return {}

    def _go_on_from(self, kept: Mapping[str, Any]) -> None:
        self.report.gone_on_from = self.report.read = int(kept.get("read", 0))
        self.report.new, self.report.duplicates = int(kept.get("new", 0)), int(kept.get("duplicates", 0))
        self.report.rejected = dict(kept.get("rejected", {}))

    def run(self, progress: Told | None) -> FileReport:
        size = reco_settings().IMPORT_BATCH
        rows = self.table.rows
        for row in islice(rows, self.report.read):
            if isinstance(row, Row):  # counted again, so that the rows after it get the ids of a run in one go
                self._prepared(row)
        try:
            for chunk in batches(rows, size):
                prepared = [self._prepared(row) for row in chunk]
                self._import_batch(prepared)
                if progress is not None:
                    progress(self.report.read, self.table.share_read())
        except TakenError:
            raise
        except FileError as error:
            self._end({"failed": str(error)})
            raise
        finally:
            self.errors.close()
        self._end({})
        return self.report

    def _end(self, more: Mapping[str, Any]) -> None:
        self.report.errors = self.errors.path if self.errors.path.exists() and self.errors.began else None
        if not self.file.dry_run:
            finish_import(source=self.file.key(), report={**self.report.told(), **more})

    def _prepared(self, row: Row | BadRow) -> _Prepared:
        if isinstance(row, BadRow):
            return _Prepared(row=row, event={}, error=EventError(row.code, row.why))
        named = self.file.fields.of(row.values)
        event_id = self.identities.of(named.get("id"), row.values)
        try:
            event = event_of(named, self.file.writing)
        except EventError as error:
            return _Prepared(row=row, event=shopper_of(named), error=error)
        event["id"] = event_id
        return _Prepared(row=row, event=event)

    def _import_batch(self, chunk: list[_Prepared]) -> None:
        before, earlier = self.errors.kept(), self.report

        def work() -> int:
            self.errors.cut(before)
            self.report = replace(earlier, rejected=dict(earlier.rejected))
            now = timezone.now()
            # a dry run takes back the shoppers and consents too; else they are made outside, and nobody waits so long
            with transaction.atomic() if self.file.dry_run else nullcontext():
                judged = judged_batch(chunk, source=self.file.source, purposes=self.file.purposes, now=now)
                with transaction.atomic():
                    self._store(chunk, judged, now)
                    if not self.file.dry_run:
                        self._remember(earlier.read)
                if self.file.dry_run:
                    transaction.set_rollback(True)
            return len(chunk)

        tried(work)  # what a batch that failed has left in the error file is cut off when the import goes on
        reset_queries()  # where DEBUG is on, each would be kept

    def _remember(self, read_before: int) -> None:
        """Keep how far the import is, in the transaction of the batch itself."""
        row = DataImport.objects.select_for_update().get(source=self.file.key())
        kept = row.report.get("resume") or {}
        if kept.get("read") != read_before:
            raise TakenError(f"another import of {self.file.path} is running; wait for it to end, then start again")
        self.report.errors = self.errors.path
        told = {**self.report.told(), "errors_bytes": self.errors.kept(), "fingerprint": kept["fingerprint"]}
        row.report = {"resume": told}
        row.save(update_fields=["report"])

    def _store(self, chunk: Sequence[_Prepared], judged: JudgedBatch, now: dt.datetime) -> None:
        for each, verdict in zip(chunk, stored_batch(chunk, judged, now=now), strict=True):
            self.report.read += 1
            if isinstance(verdict, EventError):
                self._reject(each.row, verdict)
            elif verdict is Stored.NEW:
                self.report.new += 1
            else:
                self.report.duplicates += 1

    def _reject(self, row: Row | BadRow, error: EventError) -> None:
        self.report.rejected[error.code] = self.report.rejected.get(error.code, 0) + 1
        if error.code in NOT_WRITTEN:
            return
        values, text = (row.values, "") if isinstance(row, Row) else (None, row.text)
        name = field_of(error)
        self.errors.write(
            line=row.line,
            field=self.file.fields.column_of(name, self.table.columns or tuple(values or ())) if name else "",
            code=error.code,
            why=error.message,
            values=values,
            text=text,
        )
