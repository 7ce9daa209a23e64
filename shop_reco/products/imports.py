"""The catalogue from a file."""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import reset_queries, transaction

from shop_reco.conf import reco_settings
from shop_reco.tables.error_file import ErrorFile, path_beside
from shop_reco.tables.errors import FileError
from shop_reco.tables.fields import Fields
from shop_reco.tables.reading import Dialect, batches, open_table
from shop_reco.tables.rows import BadRow, Row, Table
from shop_reco.tables.writing import Writing

from .drafts import ProductDraft
from .errors import ProductError
from .rows import FIELDS, NEEDED, PREFIX, draft_of
from .selectors import visible_batches
from .services import set_visibility, upsert_products
from .writing import State

Told = Callable[[int, float], None]
Pair = tuple[Row | BadRow, ProductDraft]
NAMES = {"parent_sku": "parent"}
"""Fields that a file calls otherwise."""


@dataclass(frozen=True, kw_only=True)
class ProductFile:
    """A file of the catalogue, and what it takes to read it."""

    path: Path
    fields: Fields = field(default_factory=lambda: Fields(known=FIELDS, prefix=PREFIX))
    writing: Writing = field(default_factory=Writing)
    dialect: Dialect = field(default_factory=Dialect)
    errors: Path | None = None
    hide_missing: bool = False
    dry_run: bool = False


@dataclass(slots=True)
class ProductReport:
    """What became of a file: taken + stale + rejected = read. ``missing`` are visible and not in the file."""

    read: int = 0
    taken: int = 0
    stale: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    missing: int = 0
    hidden: int = 0
    unused: tuple[str, ...] = ()
    errors: Path | None = None


def import_product_file(*, file: ProductFile, progress: Told | None = None) -> ProductReport:
    """Create or update products by sku from a CSV, JSON Lines or Parquet file; of rows with one sku the last counts.

    The file is read twice, parents first, so that variants may stand anywhere in it. Of price, stock, visible and the
    dates of sale, a file that has no column for them says nothing, and what is known stays. Bad rows go to the error
    file and the good ones beside them are taken; called again after being killed it comes to the same catalogue.

    Raises:
        FileError: If the file cannot be read, or read on; what was good before is taken.
    """
    return _FileImport(file).run(progress)


class SkusSeen:
    """Which skus a file had, in 8 bytes each."""

    def __init__(self) -> None:
        self._hashes: array[int] = array("Q")
        self._sorted = True

    def add(self, sku: str) -> None:
        self._hashes.append(_hash(sku))
        self._sorted = False

    def __contains__(self, sku: str) -> bool:
        if not self._sorted:
            self._hashes = array("Q", sorted(self._hashes))
            self._sorted = True
        key = _hash(sku)
        place = bisect_left(self._hashes, key)
        return place < len(self._hashes) and self._hashes[place] == key


def _hash(sku: str) -> int:
    return int.from_bytes(hashlib.blake2b(sku.encode(errors="surrogatepass"), digest_size=8).digest(), "big")


class _FileImport:
    def __init__(self, file: ProductFile) -> None:
        self.file, self.report, self.seen = file, ProductReport(), SkusSeen()
        self.variants = 0
        self.unreadable = 0
        self.errors: ErrorFile

    def run(self, progress: Told | None) -> ProductReport:
        with_table = open_table(path=self.file.path, dialect=self.file.dialect)
        try:
            if with_table.columns is not None:
                self.report.unused = self.file.fields.check(with_table.columns, needed=NEEDED)
            self.errors = ErrorFile(
                path=self.file.errors or path_beside(self.file.path, with_table.format),
                format=with_table.format,
                columns=with_table.columns or (),
                delimiter=with_table.delimiter,
            )
            try:
                self._parents(with_table, progress)
                if self.variants:
                    self._variants(progress)
            finally:
                self.errors.close()
                self.report.errors = self.errors.path if self.errors.began else None
        finally:
            with_table.close()
        if self.file.hide_missing:
            self._hide_missing()
        return self.report

    def _parents(self, table: Table, progress: Told | None) -> None:
        """Take all but the variants, and tell of every row that is none."""
        for chunk in batches(table.rows, reco_settings().IMPORT_BATCH):
            pairs: list[Pair] = []
            for row in chunk:
                self.report.read += 1
                draft = self._told_draft(row, table)
                if draft is not None and draft.parent_sku:
                    self.variants += 1
                elif draft is not None:
                    pairs.append((row, draft))
            self._take(pairs, table)
            if progress is not None:
                progress(self.report.read, table.share_read() / 2)

    def _variants(self, progress: Told | None) -> None:
        table = open_table(path=self.file.path, dialect=self.file.dialect)
        try:
            for chunk in batches(table.rows, reco_settings().IMPORT_BATCH):
                self._take([pair for pair in self._well_formed(chunk, table) if pair[1].parent_sku], table)
                if progress is not None:
                    progress(self.report.read, 0.5 + table.share_read() / 2)
        finally:
            table.close()

    def _well_formed(self, chunk: list[Row | BadRow], table: Table) -> Iterator[Pair]:
        for row in chunk:
            if isinstance(row, Row):
                with suppress(ProductError):  # told when the parents were read
                    yield row, self._draft(row, table)

    def _draft(self, row: Row, table: Table) -> ProductDraft:
        fields, columns = self.file.fields, table.columns or row.values
        present = {fields.field_of(column) for column in columns} | fields.constants.keys()
        return draft_of(fields.of(row.values), present, self.file.writing)

    def _told_draft(self, row: Row | BadRow, table: Table) -> ProductDraft | None:
        """The product that a row says; None where it says none, which is then told."""
        if isinstance(row, BadRow):
            self.unreadable += row.code != "HEADER"
            self._reject(row, table, row.code, "", row.why)
            return None
        sku = str(self.file.fields.of(row.values).get("sku") or "").strip()
        self.unreadable += not sku
        self.seen.add(sku)
        try:
            return self._draft(row, table)
        except ProductError as error:
            self._reject(row, table, error.code, error.field, str(error))
            return None

    def _take(self, pairs: list[Pair], table: Table) -> None:
        if not pairs:
            return
        with transaction.atomic():
            outcomes = upsert_products(rows=[draft for _, draft in pairs])
            transaction.set_rollback(self.file.dry_run)
        reset_queries()  # where DEBUG is on, each would be kept
        for (row, draft), outcome in zip(pairs, outcomes, strict=True):
            # a dry run has stored no parent
            found = self.file.dry_run and outcome.code == "UNKNOWN_PARENT" and draft.parent_sku in self.seen
            if outcome.state is State.STALE:
                self.report.stale += 1
            elif outcome.state is State.STORED or found:
                self.report.taken += 1
            else:
                name = NAMES.get(outcome.field, outcome.field)
                self._reject(row, table, outcome.code, name, f"{name} {outcome.message}")

    def _reject(self, row: Row | BadRow, table: Table, code: str, name: str, why: str) -> None:
        self.report.rejected[code] = self.report.rejected.get(code, 0) + 1
        values: Mapping[str, Any] | None = row.values if isinstance(row, Row) else None
        columns = table.columns or tuple(values or ())
        self.errors.write(
            line=row.line,
            field=self.file.fields.column_of(name, columns) if name else "",
            code=code,
            why=why,
            values=values,
            text=row.text if isinstance(row, BadRow) else "",
        )

    def _hide_missing(self) -> None:
        if self.unreadable:
            raise FileError(
                f"{self.unreadable} rows do not even say their sku, so nobody can tell what is missing; "
                "nothing is hidden: mend the file first"
            )
        for products in visible_batches():
            missing = [product for product in products if product.sku not in self.seen]
            self.report.missing += len(missing)
            if missing and not self.file.dry_run:
                self.report.hidden += set_visibility(products=missing, visible=False)
