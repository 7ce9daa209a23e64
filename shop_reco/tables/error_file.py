"""The rows that were not taken, with why, in a form that is mended and imported again."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.core.serializers.json import DjangoJSONEncoder

from .errors import FileError
from .formulas import escaped
from .rows import ERROR_COLUMNS

SUFFIXES = {"csv": ".csv", "jsonl": ".jsonl", "parquet": ".jsonl"}


def path_beside(path: Path, format: str) -> Path:
    """A name for the error file that nothing has yet: what was mended in an earlier one is not overwritten."""
    stem = path.name.removesuffix(".gz")
    stem = stem.removesuffix(Path(stem).suffix) or stem
    n = 1
    while (found := path.with_name(f"{stem}.errors{'' if n == 1 else f'.{n}'}{SUFFIXES[format]}")).exists():
        n += 1
    return found


class ErrorFile:
    """Appears with the first row that is written; a Parquet file's rows are written as JSON Lines."""

    def __init__(self, *, path: Path, format: str, columns: Sequence[str], delimiter: str = ",", size: int = 0) -> None:
        """``size`` cuts a file that an interrupted import left back to what belongs to its last batch."""
        self.path, self.format, self.columns, self.delimiter = path, format, list(columns), delimiter
        self._file: BinaryIO | None = None
        if size and path.exists():
            self._file = self._opened("r+b")
            self.cut(min(size, path.stat().st_size))

    def _opened(self, mode: str) -> BinaryIO:
        try:
            return cast(BinaryIO, open(self.path, mode))
        except OSError as error:
            raise FileError(f"{self.path} cannot be written: {error.strerror}; name another with --errors") from None

    def write(
        self, *, line: int, field: str, code: str, why: str, values: Mapping[str, Any] | None, text: str = ""
    ) -> None:
        """``values`` of a row that could be taken apart, else its ``text``."""
        notes = dict(zip(ERROR_COLUMNS, (line, field, code, why, text), strict=True))
        if self._file is None:
            self._file = self._opened("w+b")
            if self.format == "csv":  # the mark tells spreadsheets that it is UTF-8
                self._file.write(b"\xef\xbb\xbf" + self._cells([*ERROR_COLUMNS, *self.columns]))
        self._file.write(self._cells([*notes.values(), *self._own(values)]) if self.format == "csv" else _json(
            {name: value for name, value in notes.items() if value != ""} | dict(values or {})
        ))  # fmt: skip

    def _own(self, values: Mapping[str, Any] | None) -> list[Any]:
        return [(values or {}).get(name, "") for name in self.columns]

    def _cells(self, cells: Sequence[Any]) -> bytes:
        line = io.StringIO()
        safe = [escaped(cell) if isinstance(cell, str) else cell for cell in cells]
        csv.writer(line, delimiter=self.delimiter, lineterminator="\n").writerow(safe)
        return line.getvalue().encode(errors="backslashreplace")

    @property
    def began(self) -> bool:
        return self._file is not None

    def kept(self) -> int:
        """The size in bytes, once all of it is on the disk; 0 while there is no file."""
        if self._file is None:
            return 0
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def cut(self, size: int) -> None:
        """Take back what was written after ``size`` bytes; a file of none goes."""
        if self._file is None:
            return
        self._file.seek(size)
        self._file.truncate()
        if size == 0:
            self.close()
            self.path.unlink()
            self._file = None

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


def _json(value: Mapping[str, Any]) -> bytes:
    text = json.dumps(value, cls=_Encoder, ensure_ascii=False)
    try:
        return f"{text}\n".encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return f"{json.dumps(value, cls=_Encoder)}\n".encode()


class _Encoder(DjangoJSONEncoder):
    def default(self, o: Any) -> Any:
        return o.hex() if isinstance(o, bytes) else super().default(o)
