"""The bytes of a file, unpacked and cut into lines, never more of them in memory than a line may have."""

from __future__ import annotations

import codecs
import stat
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from shop_reco.conf import RecoSettings

from .errors import FileError

PIECE = 65_536  # bytes
GZIP = b"\x1f\x8b"
SLACK = 1_048_576
"""Bytes that may come out of an archive before its ratio is looked at."""
WIDE = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16"}
WIDE[codecs.BOM_UTF16_BE] = "utf-16"
"""Encodings in which a line feed is no single byte, by their mark; the longer marks first."""


@dataclass(slots=True)
class Caps:
    """How much of a file is put up with."""

    row_bytes: int
    file_bytes: int
    ratio: int
    columns: int
    rows: int

    @classmethod
    def of(cls, reco: RecoSettings) -> Caps:
        return cls(
            row_bytes=reco.IMPORT_ROW_BYTES,
            file_bytes=reco.IMPORT_FILE_BYTES,
            ratio=reco.IMPORT_RATIO,
            columns=reco.IMPORT_COLUMNS,
            rows=reco.IMPORT_ROWS,
        )


class Overlong(bytes):
    """The beginning of a line that is longer than a row may be."""


def regular_file(path: Path) -> int:
    """The size of the file in bytes.

    Raises:
        FileError: If there is none, it is a folder or a pipe, or it is empty.
    """
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "the name has characters that no file's name has"
        raise FileError(f"{path}: {why}") from None
    if stat.S_ISDIR(found.st_mode):
        raise FileError(f"{path} is a folder; name the files in it: {path}/*")
    if not stat.S_ISREG(found.st_mode):
        raise FileError(f"{path} is not a regular file; write it to the disk first, so that the import can go on")
    if found.st_size == 0:
        raise FileError(f"{path} is empty; nothing was imported")
    return found.st_size


def opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None


def pieces(file: BinaryIO, caps: Caps) -> Iterator[bytes]:
    """The file's bytes, unpacked where it is a gzip archive, a piece at a time."""
    first = file.read(PIECE)
    if first.startswith(b"PK\x03\x04"):
        raise FileError(
            "this is a zip archive or an Excel workbook; unpack it, or save the sheet as CSV in UTF-8, and import that"
        )
    source = _chained(first, file)
    taken = 0
    for piece in _unpacked(source, file, caps) if first.startswith(GZIP) else source:
        taken += len(piece)
        if taken > caps.file_bytes:
            raise FileError(
                f"more than IMPORT_FILE_BYTES = {caps.file_bytes} bytes; split the file, or raise that setting"
            )
        yield piece


def _chained(first: bytes, file: BinaryIO) -> Iterator[bytes]:
    piece = first
    while piece:
        yield piece
        piece = file.read(PIECE)


def _unpacked(source: Iterable[bytes], file: BinaryIO, caps: Caps) -> Iterator[bytes]:
    """What the archive holds, as far as it can be read, then an error where it is damaged or cut short."""
    unpacker, out, whole = zlib.decompressobj(31), 0, False
    for packed in source:
        rest, full = packed, False
        while rest or full:
            if whole:  # another archive may follow; zeros are padding
                rest = rest.lstrip(b"\0")
                if not rest:
                    break
                unpacker, whole = zlib.decompressobj(31), False
            try:
                piece = unpacker.decompress(rest, PIECE)
            except zlib.error as error:
                raise FileError(f"the gzip archive is damaged ({error}); copy or pack the file again") from None
            if out == 0 and piece.startswith(GZIP):
                raise FileError("a gzip archive in a gzip archive; unpack it once: gunzip FILE")
            out += len(piece)
            if out > SLACK + caps.ratio * file.tell():
                raise FileError(
                    f"the archive unpacks to more than IMPORT_RATIO = {caps.ratio} times its size; "
                    "if you trust it, unpack it first: gunzip FILE"
                )
            if piece:
                yield piece
            whole, full = unpacker.eof, len(piece) == PIECE
            rest = unpacker.unused_data if whole else unpacker.unconsumed_tail
            full = full and not whole
    if not whole:
        raise FileError("the gzip archive is cut short; copy or pack the file again")


def lines(source: Iterable[bytes], caps: Caps, *, newline: bytes = b"\n") -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers, from 1; of one that is too long its beginning, as Overlong."""
    held: list[bytes] = []  # the line that has begun
    size, number, skipping = 0, 0, False
    for piece in source:
        if skipping:
            end = piece.find(newline)
            if end < 0:
                continue
            piece, skipping = piece[end + 1 :], False
        held.append(piece)
        size += len(piece)
        if newline in piece:
            *whole, rest = b"".join(held).split(newline)
            for line in whole:
                number += 1
                yield number, line if len(line) <= caps.row_bytes else Overlong(line[:1000])
            held, size = [rest], len(rest)
        if size > caps.row_bytes:
            number += 1
            yield number, Overlong(b"".join(held)[:1000])
            held, size, skipping = [], 0, True
    if size:
        yield number + 1, b"".join(held)


def narrow(source: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """A file in a wide encoding, as UTF-8."""
    decoder = codecs.getincrementaldecoder(encoding)()
    done = 0
    try:
        for piece in source:
            yield decoder.decode(piece).encode()
            done += len(piece)
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError:
        raise FileError(f"the file is not {encoding} after byte {done}; save it as UTF-8") from None
