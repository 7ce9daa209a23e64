"""What the commands that import files have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from django.core.management.base import BaseCommand, CommandError, CommandParser

from .errors import FileError
from .fields import Fields
from .progress import Progress
from .reading import FORMATS, Dialect
from .writing import Writing


class FileCommand(ABC, BaseCommand):
    """Imports each file that is named, goes on after one that cannot be read, and says so at the end."""

    known: Sequence[str]
    prefix = ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="CSV, JSON Lines (or .gz), Parquet")
        parser.add_argument(
            "--map", action="append", default=[], metavar="COLUMN=FIELD", help="a column is this field; none if empty"
        )
        parser.add_argument(
            "--set", action="append", default=[], metavar="FIELD=VALUE", help="the same for all rows of the file"
        )
        parser.add_argument("--format", choices=FORMATS, default="", help="found out from the file if not given")
        parser.add_argument("--delimiter", default="", help="of a CSV: one character, or tab")
        parser.add_argument("--encoding", default="", help="of a CSV: utf-8, gb18030, cp1252, utf-16 ...")
        parser.add_argument("--time-format", default="", help="strptime's, unix or unix-ms (default: ISO 8601)")
        parser.add_argument("--time-zone", default="", help="of times that name none: Europe/Berlin")
        parser.add_argument("--decimal-comma", action="store_true", help="numbers are written 1.234,50")
        parser.add_argument("--errors", type=Path, metavar="PATH", help="where bad rows go (default: beside the file)")
        parser.add_argument("--dry-run", action="store_true", help="check everything, store nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        files: list[Path] = options["files"]
        if options["errors"] is not None:
            if len(files) > 1:
                raise CommandError("--errors takes the bad rows of one file; name one file, or leave it out")
            if options["errors"].absolute() == files[0].absolute():
                raise CommandError("--errors would overwrite the file that is imported; name another path")
        failed = 0
        for path in files:
            progress = Progress(self.stdout)
            try:
                self.import_file(path, progress, options)
            except FileError as error:
                progress.end()
                failed += 1
                self.stderr.write(f"{path}: {error}" if str(path) not in str(error) else str(error))
            except KeyboardInterrupt:
                progress.end()
                raise CommandError(f"stopped. {self.how_to_go_on(path)}", returncode=130) from None
        if failed:
            raise CommandError(f"{failed} of {len(files)} files could not be read to the end" if len(files) > 1 else
                               "the file could not be read to the end")  # fmt: skip

    @abstractmethod
    def import_file(self, path: Path, progress: Progress, options: Mapping[str, Any]) -> None:
        """Raises FileError where the file cannot be read to the end."""

    @abstractmethod
    def how_to_go_on(self, path: Path) -> str:
        """What to do with a file whose import was stopped, in a sentence."""

    def fields(self, options: Mapping[str, Any]) -> Fields:
        return Fields(
            known=self.known,
            mapped=dict(_pair("--map", each, last=True) for each in options["map"]),
            constants=dict(_pair("--set", each, last=False) for each in options["set"]),
            prefix=self.prefix,
        )

    def dialect(self, options: Mapping[str, Any]) -> Dialect:
        delimiter = {"tab": "\t", "\\t": "\t"}.get(options["delimiter"], options["delimiter"])
        return Dialect(format=options["format"], delimiter=delimiter, encoding=options["encoding"])

    def writing(self, options: Mapping[str, Any]) -> Writing:
        try:
            return Writing(
                time_format=options["time_format"],
                zone=options["time_zone"],
                decimal_comma=options["decimal_comma"],
                separator=options.get("separator") or ">",
            )
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise FileError(f"no time zone is called {options['time_zone']}; give one like Europe/Berlin") from None

    def tell(
        self, path: Path, counts: str, *, rejected: Mapping[str, int], unused: Sequence[str], errors: Path | None,
        dry_run: bool,
    ) -> None:  # fmt: skip
        """Say in a few lines what became of a file."""
        why = ", ".join(f"{code} {n}" for code, n in sorted(rejected.items()))
        bad = f"{sum(rejected.values())} rejected" + (f" ({why})" if why else "")
        self.stdout.write(f"{path}: {counts}, {bad}" + ("; dry run: nothing is stored" if dry_run else ""))
        if unused:
            self.stdout.write(f"  columns of no use: {', '.join(unused)}")
        if errors is not None:
            self.stdout.write(f"  the rejected rows, each with why: {errors}; mend them there, and import that file")


def _pair(option: str, text: str, *, last: bool) -> tuple[str, str]:
    left, equals, right = text.rpartition("=") if last else text.partition("=")
    if not equals or not left:
        raise FileError(f"{option} {text}: write it as {option} {'COLUMN=FIELD' if last else 'FIELD=VALUE'}")
    return left, right
