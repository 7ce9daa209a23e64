"""Import events from files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from shop_reco.events.imports import EventFile, import_event_file
from shop_reco.events.rows import FIELDS
from shop_reco.tables.command import FileCommand
from shop_reco.tables.errors import FileError
from shop_reco.tables.progress import Progress


class Command(FileCommand):
    help = "Import events from CSV, JSON Lines or Parquet files; importing a file twice stores nothing new."
    known = FIELDS

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--source", default="file", help="what the data are called: ids of rows are unique within it"
        )
        parser.add_argument(
            "--consent", default="", metavar="PURPOSE,...",
            help="what the shoppers in the file consented to elsewhere; it is recorded with the source",
        )  # fmt: skip
        parser.add_argument(
            "--restart", action="store_true", help="begin an interrupted import of a file that changed anew"
        )

    def import_file(self, path: Path, progress: Progress, options: Mapping[str, Any]) -> None:
        purposes = tuple(each.strip() for each in options["consent"].split(",") if each.strip())
        if purposes and options["source"] == "file":
            raise FileError("--consent needs --source NAME: whoever vouches for the consent is recorded with it")
        if not 0 < len(options["source"]) <= 40:
            raise FileError("--source must be 1 to 40 characters")
        file = EventFile(
            path=path,
            source=options["source"],
            fields=self.fields(options),
            writing=self.writing(options),
            dialect=self.dialect(options),
            purposes=purposes,
            errors=options["errors"],
            dry_run=options["dry_run"],
            restart=options["restart"],
        )
        report = import_event_file(file=file, progress=progress)
        progress.end()
        if report.gone_on_from:
            self.stdout.write(f"{path}: went on after row {report.gone_on_from}, where an earlier run had stopped")
        counts = f"{report.read} rows read: {report.new} new, {report.duplicates} stored before"
        self.tell(
            path, counts, rejected=report.rejected, unused=report.unused, errors=report.errors, dry_run=file.dry_run
        )
        if "CONSENT_REQUIRED" in report.rejected:
            self.stdout.write(
                "  CONSENT_REQUIRED: these shoppers consented to nothing, so their rows are kept nowhere; "
                "what they consented to elsewhere is told by --consent personalisation,training --source NAME"
            )
        if "ERASED" in report.rejected:
            self.stdout.write("  ERASED: these shoppers were erased; their rows are kept nowhere")

    def how_to_go_on(self, path: Path) -> str:
        return f"What was stored of {path} is kept: give the same command once more, and it goes on from there."
