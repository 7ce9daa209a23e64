"""What a file is read into."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

ERROR_COLUMNS = ("error_line", "error_field", "error_code", "error_why", "error_row")
"""What an error file adds to each row; passed over when a mended one is read."""


@dataclass(slots=True)
class Row:
    """One row by column name, as the file has it: text in a CSV, values of their own types elsewhere."""

    line: int  # where it begins, from 1; in a Parquet file its number
    values: dict[str, Any]
    size: int  # bytes


@dataclass(slots=True)
class BadRow:
    """A row that cannot be taken apart; ``text`` is how it begins."""

    line: int
    code: str
    why: str
    text: str
    size: int


@dataclass(slots=True)
class Table:
    """An opened file. ``columns`` is None where each row names its own."""

    format: str  # csv, jsonl or parquet
    columns: tuple[str, ...] | None
    rows: Iterator[Row | BadRow]
    share_read: Callable[[], float]  # of the file, 0 to 1
    close: Callable[[], None]
    delimiter: str = ","


def without_error_columns(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in ERROR_COLUMNS}
