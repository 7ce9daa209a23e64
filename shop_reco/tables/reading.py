"""One way in for a file of rows: what it is, and the rows of it."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from shop_reco.conf import reco_settings

from . import delimited, json_lines, parquet
from .errors import FileError
from .opening import GZIP, WIDE, Caps, lines, narrow, opened, pieces, regular_file
from .rows import BadRow, Row, Table

FORMATS = ("csv", "jsonl", "parquet")


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How to read a file; what is empty is found out from the file itself."""

    format: str = ""
    delimiter: str = ""
    encoding: str = ""


def open_table(*, path: Path, dialect: Dialect | None = None) -> Table:
    """Open a CSV, JSON Lines (either may be packed by gzip) or Parquet file.

    Raises:
        FileError: If it is none of them, is cut short, or goes over a cap of the settings; ``rows`` raises it too.
    """
    dialect, caps = dialect or Dialect(), Caps.of(reco_settings())
    _check(dialect)
    size = regular_file(path)
    file = opened(path)
    try:
        first = file.read(4)
        file.seek(0)
        if first == parquet.MAGIC or dialect.format == "parquet":
            file.close()
            if first != parquet.MAGIC:
                raise FileError(f"{path} is no Parquet file; its first bytes are {first!r}")
            table = parquet.table(path, caps)
            table.rows = _counted(table.rows, caps)
            return table
        source = pieces(file, caps)
        head = next(source, b"")
        source = chain([head], source)
        if head.startswith(parquet.MAGIC) and first.startswith(GZIP):
            raise FileError("a Parquet file in a gzip archive; unpack it once: gunzip FILE")
        encoding = dialect.encoding or next((name for mark, name in WIDE.items() if head.startswith(mark)), "utf-8")
        if codecs.lookup(encoding).name.startswith(("utf-16", "utf-32")):
            source, encoding = narrow(source, encoding), "utf-8"
            head = next(source, b"")
            source = chain([head], source)
        if head.startswith(codecs.BOM_UTF8):
            head = head[len(codecs.BOM_UTF8) :]
            source = chain([head], islice(source, 1, None))
        if not head.strip():
            raise FileError(f"{path} has no rows; nothing was imported")
        newline = b"\r" if b"\r" in head and b"\n" not in head else b"\n"
        numbered = lines(source, caps, newline=newline)

        def share() -> float:
            return file.tell() / size

        start = head.lstrip()[:1]
        if dialect.format == "jsonl" or (not dialect.format and start in (b"{", b"[")):
            if start == b"[":
                raise FileError("a JSON array; one object a line is wanted: jq -c '.[]' FILE > FILE.jsonl")
            return Table("jsonl", None, _counted(json_lines.rows(numbered, caps), caps), share, file.close)
        delimiter = dialect.delimiter or delimited.sniffed(head.replace(newline, b"\n"), encoding)
        found = delimited.Delimited(numbered, delimiter=delimiter, encoding=encoding, caps=caps)
        return Table("csv", found.columns, _counted(found.rows(), caps), share, file.close, delimiter)
    except BaseException:
        file.close()
        raise


def _check(dialect: Dialect) -> None:
    if dialect.format and dialect.format not in FORMATS:
        raise FileError(f"format must be one of {', '.join(FORMATS)}")
    if dialect.delimiter and (len(dialect.delimiter) != 1 or dialect.delimiter in '"\r\n'):
        raise FileError("the delimiter must be one character, not a quote; for a tab give tab")
    try:
        codecs.lookup(dialect.encoding or "utf-8").incrementaldecoder  # noqa: B018
        "".encode(dialect.encoding or "utf-8")
    except LookupError:
        raise FileError(f"no encoding is called {dialect.encoding}; try utf-8, gb18030, cp1252 or utf-16") from None


def _counted(rows: Iterator[Row | BadRow], caps: Caps) -> Iterator[Row | BadRow]:
    """The rows, with the line in what goes wrong between them."""
    last = 0
    try:
        for count, row in enumerate(rows, 1):
            last = row.line
            if count > caps.rows:
                raise FileError(f"more than IMPORT_ROWS = {caps.rows} rows; split the file, or raise that setting")
            yield row
    except FileError as error:
        raise type(error)(f"after line {last}: {error}") from None


BATCH_BYTES = 2_097_152
HEAD, TAIL = 1_048_576, 65_536  # bytes


def batches(rows: Iterator[Row | BadRow], size: int) -> Iterator[list[Row | BadRow]]:
    """Rows in lists of ``size`` at most, and of 2 MiB of the file; what is good before an error comes before it."""
    chunk: list[Row | BadRow] = []
    held = 0
    failure: FileError | None = None
    try:
        for row in rows:
            chunk.append(row)
            held += row.size
            if len(chunk) >= size or held >= BATCH_BYTES:
                yield chunk
                chunk, held = [], 0
    except FileError as error:
        failure = error
    if chunk:
        yield chunk
    if failure is not None:
        raise failure


def fingerprint(path: Path) -> str:
    """Tells a file from another under its name: its size, and a hash of its first MiB and its end."""
    size = regular_file(path)
    told = hashlib.sha256(str(size).encode())
    with opened(path) as file:
        told.update(file.read(HEAD))
        file.seek(max(size - TAIL, 0))
        told.update(file.read())
    return told.hexdigest()[:32]
