"""Interactions as a folder of Parquet files, written and read one part at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reco_engine.data.interactions import Interactions
from reco_engine.errors import BadInputError
from reco_engine.types import Ids

COLUMNS = ("user", "item", "timestamp", "weight")


@dataclass(frozen=True)
class Part:
    """Some interactions as columns, each of shape (n,): ids, unix seconds, weights of zero or more."""

    users: Ids
    items: Ids
    timestamps: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]

    @classmethod
    def of(cls, interactions: Interactions) -> Part:
        """All of them, with their ids."""
        users, items = interactions.user_ids[interactions.users], interactions.item_ids[interactions.items]
        return cls(users, items, interactions.timestamps, interactions.weights)

    def interactions(self) -> Interactions:
        """In canonical order."""
        return Interactions.from_arrays(self.users, self.items, self.timestamps, self.weights)

    def __len__(self) -> int:
        return int(self.users.size)


class Writer:
    """Writes parts into a folder, a file each; a part without rows is none."""

    def __init__(self, folder: Path) -> None:
        """``folder`` exists."""
        self._folder, self.n_parts, self.n_rows = folder, 0, 0

    def add(self, part: Part) -> None:
        """Write one more file.

        Raises:
            BadInputError: If a time or weight is NaN or infinite, or a weight is negative.
        """
        if not len(part):
            return
        if not (np.isfinite(part.timestamps).all() and np.isfinite(part.weights).all()):
            raise BadInputError("timestamps and weights must be finite; drop or fill those rows first")
        if np.any(part.weights < 0):
            raise BadInputError("weights must be zero or more; a dislike is no negative weight")
        import pyarrow as pa
        from pyarrow import parquet

        columns = (_ids(part.users), _ids(part.items), part.timestamps, part.weights)
        table = pa.table(dict(zip(COLUMNS, (pa.array(column) for column in columns), strict=True)))
        parquet.write_table(table, self._folder / f"part-{self.n_parts:05}.parquet")
        self.n_parts, self.n_rows = self.n_parts + 1, self.n_rows + len(part)


def read_parts(folder: Path) -> Iterator[Part]:
    """The parts of a folder, file by file in the order of names."""
    from pyarrow import parquet

    for path in sorted(folder.glob("*.parquet")):
        table = parquet.read_table(path)
        yield Part(
            *(ids_of(table.column(name)) for name in COLUMNS[:2]), *(table.column(n).to_numpy() for n in COLUMNS[2:])
        )


def ids_of(column: Any) -> Ids:
    """A column of Parquet as ids: integers, or strings and never objects."""
    from pyarrow import types

    if types.is_integer(column.type):
        return np.asarray(column)
    return np.asarray(column.to_pylist(), dtype=np.str_ if len(column) else "U1")


def _ids(ids: Ids) -> Any:
    return ids.astype(np.int64) if ids.dtype.kind in "iu" else ids.tolist()
