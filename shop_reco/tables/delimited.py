"""CSV with whatever delimiter. A quote that never closes costs its own line, not the rows after it."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator

from .errors import ColumnError, FileError
from .formulas import plain
from .opening import Caps, Overlong
from .rows import ERROR_COLUMNS, BadRow, Row

DELIMITERS = (",", ";", "\t", "|")


REREAD = 16_777_216
"""Bytes that may be read again for quotes that never close, beside ten times what was read once."""


class _UnreadableError(Exception):
    """A line that is no text, or too long a one."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code, self.why = code, why


class _Feed:
    """Hands lines to the csv reader, and remembers which ones the row at hand is made of."""

    def __init__(self, numbered: Iterator[tuple[int, bytes]], encoding: str, caps: Caps) -> None:
        self.numbered, self.encoding, self.caps = numbered, encoding, caps
        self.waiting: deque[tuple[int, bytes]] = deque()
        self.taken: list[tuple[int, bytes]] = []
        self.size = 0
        self.quoted = False
        self.read, self.reread = 0, 0  # bytes

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        _, line = taken = self.waiting.popleft() if self.waiting else next(self.numbered)
        self.taken.append(taken)
        self.size += len(line)
        if type(line) is Overlong or self.size > self.caps.row_bytes:
            raise _UnreadableError("TOO_LONG", f"is longer than IMPORT_ROW_BYTES = {self.caps.row_bytes} bytes")
        if b"'" in line:
            self.quoted = True
        try:
            return line.decode(self.encoding).rstrip("\r") + "\n"
        except UnicodeDecodeError as error:
            raise _UnreadableError(
                "ENCODING", f"is not {self.encoding} at byte {error.start}; save it as UTF-8, or give --encoding"
            ) from None

    def begin(self) -> None:
        self.read += self.size
        self.taken, self.size, self.quoted = [], 0, False

    def give_back(self) -> None:
        """All lines of the row at hand but its first are read again, as rows of their own."""
        self.reread += self.size
        if self.reread > REREAD + 10 * self.read:
            raise FileError(
                f"line {self.taken[0][0]}: quotes that do not close all over the file; is this the right delimiter?"
            )
        self.waiting.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]
        self.size = 0


def sniffed(head: bytes, encoding: str) -> str:
    """The delimiter that the first line has most of, outside quotes."""
    first = next((line for line in head.split(b"\n") if line.strip()), b"").decode(encoding, errors="replace")
    bare = "".join(first.split('"')[::2])
    return max(DELIMITERS, key=bare.count)


class Delimited:
    """The header of a CSV, and its rows."""

    def __init__(self, numbered: Iterator[tuple[int, bytes]], *, delimiter: str, encoding: str, caps: Caps) -> None:
        self.caps = caps
        self.feed = _Feed(numbered, encoding, caps)
        self.reader = csv.reader(self.feed, delimiter=delimiter, strict=True)
        self.header = self._header()
        self.columns = tuple(name for name in self.header if name not in ERROR_COLUMNS)

    def _header(self) -> list[str]:
        cells: list[str] = []
        while not any(cell.strip() for cell in cells):
            self.feed.begin()
            try:
                cells = next(self.reader)
            except StopIteration:
                raise FileError("the file has no header; its first line must name the columns") from None
            except (_UnreadableError, csv.Error) as error:
                line = self.feed.taken[0][0] if self.feed.taken else 1
                raise FileError(f"line {line}, the header, {getattr(error, 'why', error)}") from None
        if any("\0" in cell for cell in cells):
            raise FileError("line 1, the header, has NUL bytes; if the file is UTF-16, give --encoding utf-16-le")
        if len(cells) > self.caps.columns:
            raise ColumnError(f"{len(cells)} columns; IMPORT_COLUMNS = {self.caps.columns} at most")
        names = [plain(cell.strip()) or f"column {place}" for place, cell in enumerate(cells, 1)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ColumnError(f"line {self.feed.taken[0][0]}, the header, names {twice[0]!r} twice; rename one of them")
        return names

    def rows(self) -> Iterator[Row | BadRow]:
        feed, reader, header, width = self.feed, self.reader, self.header, len(self.header)
        marked = any(name in ERROR_COLUMNS for name in header)
        while True:
            feed.begin()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except _UnreadableError as error:
                yield self._torn() if len(feed.taken) > 1 else self._bad(error.code, error.why)
                continue
            except csv.Error as error:
                if len(feed.taken) > 1 or "unexpected end" in str(error):
                    yield self._torn()
                elif "field limit" in str(error):
                    yield self._bad("TOO_LONG", f"has a cell of more than {csv.field_size_limit()} characters")
                else:
                    yield self._bad("MALFORMED", f"cannot be taken apart: {error}; double the quotes inside a cell")
                continue
            if len(cells) == width:
                if feed.quoted:
                    cells = [plain(cell) for cell in cells]
                if cells[0].strip() == header[0] and [cell.strip() for cell in cells] == header:
                    yield self._bad("HEADER", "is the header once more; delete it")
                    continue
                values = dict(zip(header, cells, strict=True))
                if marked:
                    for name in ERROR_COLUMNS:
                        values.pop(name, None)
                yield Row(feed.taken[0][0], values, feed.size)
            elif len(feed.taken) > 1:
                yield self._torn()
            elif cells and any(cell.strip() for cell in cells):
                yield self._bad("COLUMNS", f"has {len(cells)} cells where the header has {width}")

    def _torn(self) -> BadRow:
        self.feed.give_back()
        return self._bad("QUOTES", "opens a quote that is not closed; close it, or double the quotes inside a cell")

    def _bad(self, code: str, why: str) -> BadRow:
        number, line = self.feed.taken[0]
        text = line[:1000].decode(self.feed.encoding, errors="backslashreplace").rstrip("\r")
        return BadRow(number, code, f"line {number} {why}", text, len(line))
