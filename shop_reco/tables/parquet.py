"""Parquet, read a batch of rows at a time; needs pyarrow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .errors import FileError, MissingLibraryError
from .opening import Caps
from .rows import BadRow, Row, Table, without_error_columns

MAGIC = b"PAR1"
BATCH, BATCH_BYTES = 1000, 1_048_576  # rows and bytes, at most, that are turned into Python at a time
INSTALL = "reading Parquet needs pyarrow: pip install 'shop-reco[parquet]', or write the file as CSV or JSON Lines"


def table(path: Path, caps: Caps) -> Table:
    """Raises FileError where the file is cut short or its footer promises more than the caps allow."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingLibraryError(INSTALL) from None
    with path.open("rb") as file:
        file.seek(-len(MAGIC), 2)
        if file.read() != MAGIC:
            raise FileError("the Parquet file is cut short: its footer is missing; copy or write it again")
    try:
        opened = parquet.ParquetFile(
            path,
            buffer_size=1_048_576,
            pre_buffer=False,
            thrift_string_size_limit=caps.row_bytes * 64,
            thrift_container_size_limit=1_000_000,
        )
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise FileError(f"the Parquet file is damaged: {_short(error)}; write it again") from None
    metadata = opened.metadata
    if metadata.num_columns > caps.columns:
        raise FileError(
            f"{metadata.num_columns} columns; IMPORT_COLUMNS = {caps.columns} at most: write those that matter"
        )
    widest = _check_groups(metadata, caps)
    size = max(1, min(BATCH, BATCH_BYTES // max(widest, 1)))
    done = [0]

    def rows() -> Iterator[Row | BadRow]:
        number = 0
        try:
            for batch in opened.iter_batches(batch_size=size, use_threads=False):
                held = batch.nbytes // max(batch.num_rows, 1)
                for values in batch.to_pylist():
                    number += 1
                    done[0] = number
                    yield Row(number, without_error_columns(values), held)
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            raise FileError(
                f"the Parquet file is damaged after row {number}: {_short(error)}; write it again"
            ) from None

    def share() -> float:
        return done[0] / max(metadata.num_rows, 1)

    return Table("parquet", tuple(opened.schema_arrow.names), rows(), share, opened.close)


def _check_groups(metadata: object, caps: Caps) -> int:
    """Bytes of a row where they are most. A page is unpacked whole, and no larger than its column in its group."""
    widest = 0
    for index in range(metadata.num_row_groups):  # type: ignore[attr-defined]
        group = metadata.row_group(index)  # type: ignore[attr-defined]
        for place in range(group.num_columns):
            column = group.column(place)
            packed, plain = column.total_compressed_size, column.total_uncompressed_size
            if plain > 1_048_576 and plain > caps.ratio * packed:
                raise FileError(
                    f"column {column.path_in_schema} unpacks to more than IMPORT_RATIO = {caps.ratio} times its size; "
                    "write the file with smaller row groups, or without compression"
                )
        widest = max(widest, group.total_byte_size // max(group.num_rows, 1))
    if widest > caps.row_bytes:
        raise FileError(f"rows of {widest} bytes; IMPORT_ROW_BYTES = {caps.row_bytes} at most: leave large columns out")
    return widest


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
