"""The catalogue from a file."""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import DatabaseError, reset_queries, transaction

from shop_reco.conf import reco_settings
from shop_reco.tables.error_file import ErrorFile, path_beside
from shop_reco.tables.errors import FileError
from shop_reco.tables.fields import Fields
from shop_reco.tables.reading import Dialect, batches, open_table
from shop_reco.tables.rows import BadRow, Row, Table
from shop_reco.tables.writing import Writing

from .models import Product
from .rows import FIELDS, NEEDED, PREFIX, RowError, draft_of
from .selectors import visible_batches
from .services import ProductDraft, import_products, set_visibility

Told = Callable[[int, float], None]
Pair = tuple[Row | BadRow, ProductDraft]


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
    """What became of a file: taken + repeated + rejected = read. ``missing`` are visible and not in the file."""

    read: int = 0
    taken: int = 0
    repeated: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    missing: int = 0
    hidden: int = 0
    unused: tuple[str, ...] = ()
    errors: Path | None = None


def import_product_file(*, file: ProductFile, progress: Told | None = None) -> ProductReport:
    """Create or update products by sku from a CSV, JSON Lines or Parquet file; of rows with one sku the last counts.

    The file is read twice, parents first, so that variants may stand anywhere in it. A row says the whole product: a
    column that is not there counts as empty. Bad rows go to the error file and the good ones beside them are taken;
    called again after being killed it comes to the same catalogue.

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
                draft = self._draft(row, table)
                if draft is None:
                    continue
                if draft.parent_sku:
                    self.variants += 1
                else:
                    pairs.append((row, draft))
            self._take(pairs, table)
            if progress is not None:
                progress(self.report.read, table.share_read())

    def _variants(self, progress: Told | None) -> None:
        table = open_table(path=self.file.path, dialect=self.file.dialect)
        try:
            for chunk in batches(table.rows, reco_settings().IMPORT_BATCH):
                pairs = [(row, draft) for row, draft in self._well_formed(chunk) if draft.parent_sku]
                asked = {draft.parent_sku for _, draft in pairs}
                parents = set(Product.objects.filter(sku__in=asked, parent=None).values_list("sku", flat=True))
                known: list[Pair] = []
                for row, draft in pairs:
                    if draft.parent_sku in parents and draft.parent_sku != draft.sku:
                        known.append((row, draft))
                    elif self.file.dry_run and draft.parent_sku in self.seen and draft.parent_sku != draft.sku:
                        self.report.taken += 1
                    else:
                        why = f"{draft.parent_sku!r} is no product, or a variant itself"
                        self._reject(row, table, RowError(field="parent", code="UNKNOWN_PARENT", why=why))
                self._take(known, table)
                if progress is not None:
                    progress(self.report.read, table.share_read())
        finally:
            table.close()

    def _well_formed(self, chunk: list[Row | BadRow]) -> Iterator[Pair]:
        for row in chunk:
            if isinstance(row, Row):
                try:
                    yield row, draft_of(self.file.fields.of(row.values), self.file.writing)
                except RowError:
                    continue  # told when the parents were read

    def _draft(self, row: Row | BadRow, table: Table) -> ProductDraft | None:
        """The product that a row says; None where it says none, which is then told."""
        if isinstance(row, BadRow):
            self.unreadable += row.code != "HEADER"
            self._reject(row, table, RowError(field="", code=row.code, why=row.why))
            return None
        named = self.file.fields.of(row.values)
        sku = str(named.get("sku") or "").strip()
        self.unreadable += not sku
        self.seen.add(sku)
        try:
            return draft_of(named, self.file.writing)
        except RowError as error:
            self._reject(row, table, error)
            return None

    def _take(self, pairs: list[Pair], table: Table) -> None:
        last = {draft.sku: (row, draft) for row, draft in pairs}
        self.report.repeated += len(pairs) - len(last)
        try:
            self._store([draft for _, draft in last.values()])
            self.report.taken += len(last)
        except (ValueError, DatabaseError):
            for row, draft in last.values():  # one of them is what the checks did not foresee
                try:
                    self._store([draft])
                    self.report.taken += 1
                except (ValueError, DatabaseError) as error:
                    why = str(error).splitlines()[0][:300]
                    self._reject(row, table, RowError(field="", code="NOT_STORED", why=why))

    def _store(self, drafts: list[ProductDraft]) -> None:
        if drafts:
            with transaction.atomic():
                import_products(drafts=drafts, batch=len(drafts))
                transaction.set_rollback(self.file.dry_run)
            reset_queries()  # where DEBUG is on, each would be kept

    def _reject(self, row: Row | BadRow, table: Table, error: RowError) -> None:
        self.report.rejected[error.code] = self.report.rejected.get(error.code, 0) + 1
        values: Mapping[str, Any] | None = row.values if isinstance(row, Row) else None
        columns = table.columns or tuple(values or ())
        self.errors.write(
            line=row.line,
            field=self.file.fields.column_of(error.field, columns) if error.field else "",
            code=error.code,
            why=str(error).strip(),
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
