"""Import the catalogue from files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from shop_reco.products.imports import ProductFile, import_product_file
from shop_reco.products.rows import FIELDS, PREFIX
from shop_reco.tables.command import FileCommand
from shop_reco.tables.errors import FileError
from shop_reco.tables.progress import Progress


class Command(FileCommand):
    help = "Create or update products by sku from CSV, JSON Lines or Parquet files."
    known = FIELDS
    prefix = PREFIX

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--separator", default=">", help="of the names in a category: Food > Tea (default: >)")
        parser.add_argument(
            "--delete-missing", action="store_true", help="hide the products that the file does not have; needs --yes"
        )
        parser.add_argument("--yes", action="store_true", help="do hide them")

    def import_file(self, path: Path, progress: Progress, options: Mapping[str, Any]) -> None:
        if options["delete_missing"] and len(options["files"]) > 1:
            raise FileError("--delete-missing takes one file: what it does not have is hidden")
        file = ProductFile(
            path=path,
            fields=self.fields(options),
            writing=self.writing(options),
            dialect=self.dialect(options),
            errors=options["errors"],
            hide_missing=options["delete_missing"],
            dry_run=options["dry_run"],
        )
        if file.hide_missing and not options["yes"] and not file.dry_run:
            found = import_product_file(file=replace(file, dry_run=True, errors=None))
            if found.errors is not None:
                found.errors.unlink()
            raise FileError(
                f"{found.missing} products that are shown now are not in the file and would be hidden; "
                "give --yes as well to import it and hide them. Nothing is stored so far"
            )
        report = import_product_file(file=file, progress=progress)
        progress.end()
        counts = f"{report.read} rows read: {report.taken} taken, {report.stale} older than what is known"
        if file.hide_missing:
            counts += f", {report.missing} not in the file, {report.hidden} of them hidden"
        self.tell(
            path, counts, rejected=report.rejected, unused=report.unused, errors=report.errors, dry_run=file.dry_run
        )

    def how_to_go_on(self, path: Path) -> str:
        return f"What was taken of {path} is kept: give the same command once more; it begins anew and ends the same."
