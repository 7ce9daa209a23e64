"""Reading interactions and a catalogue from files: Parquet, or NumPy's npz."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import Interactions
from reco_engine.errors import BadInputError, MissingDependencyError

Column = npt.NDArray[Any]
SPLIT = ("train_users", "train_items", "test_users", "test_items")
LATEST = 1e11
"""Unix seconds of the year 5138; what is above is likely another unit."""


@dataclass(frozen=True, eq=False)
class Given:
    """Interactions, and what to test on where the file says so."""

    interactions: Interactions
    test: tuple[Column, Column] | None = None


def read_interactions(path: Path, columns: Mapping[str, str | None]) -> Given:
    """Read a ``.parquet`` or ``.npz`` file.

    Args:
        columns: Parquet only: the names of ``user``, ``item``, ``timestamp``, ``weight`` and ``rating`` there; None
            for the usual name, which an optional column need not have.
    Raises:
        BadInputError: If the file or a column is not as it must be; the message names it and the fix.
        MissingDependencyError: If Parquet is to be read without pyarrow.
    """
    if not path.is_file():
        raise BadInputError(f"there is no file {path}")
    if path.suffix == ".npz":
        return _from_npz(path)
    if path.suffix in (".parquet", ".pq"):
        return Given(_from_parquet(path, columns))
    raise BadInputError(f"{path} must be a .parquet or .npz file")


def read_catalogue(path: Path) -> Catalogue:
    """Read Parquet with a column ``item`` and any of ``text``, ``category``, ``brand`` and ``price``.

    A category is a path as a list of names, or as one string with " > " between them.

    Raises:
        As ``read_interactions``.
    """
    if not path.is_file():
        raise BadInputError(f"there is no file {path}")
    table = _parquet(path, {"item": None, "text": None, "category": None, "brand": None, "price": None}, ("item",))
    items = _ids("item", table["item"])
    paths = [_category(value) for value in table["category"].tolist()] if "category" in table else None
    price = _numbers("price", table["price"], missing=True) if "price" in table else None
    return Catalogue.from_columns(
        items, text=_texts(table, "text"), category=paths, brand=_texts(table, "brand"), price=price
    )


def _from_npz(path: Path) -> Given:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise BadInputError(f"{path} is not an npz file of plain arrays: {error}") from error
    if "users" in arrays and "items" in arrays:
        return Given(_interactions(arrays, ""))
    missing = [name for name in SPLIT if name not in arrays]
    if missing:
        raise BadInputError(
            f"{path} must have the arrays users and items, or {', '.join(SPLIT)}; missing: {', '.join(missing)}; "
            f"it has {', '.join(sorted(arrays)) or 'none'}"
        )
    test = tuple(_ids(name, arrays[name]) for name in ("test_users", "test_items"))
    return Given(_interactions(arrays, "train_"), (test[0], test[1]))


def _from_parquet(path: Path, columns: Mapping[str, str | None]) -> Interactions:
    table = _parquet(path, columns, ("user", "item"))
    return _interactions({f"{name}s": values for name, values in table.items()}, "")


def _interactions(arrays: Mapping[str, Column], prefix: str) -> Interactions:
    def optional(name: str) -> npt.NDArray[np.float64] | None:
        return _numbers(prefix + name, arrays[prefix + name]) if prefix + name in arrays else None

    times = optional("timestamps")
    if times is not None and times.size and float(times.max()) > LATEST:
        raise BadInputError(f"column {prefix}timestamps must be unix seconds; these look like milli- or nanoseconds")
    users, items = (_ids(prefix + name, arrays[prefix + name]) for name in ("users", "items"))
    return Interactions.from_arrays(users, items, times, optional("weights"), optional("ratings"))


def _parquet(path: Path, columns: Mapping[str, str | None], needed: tuple[str, ...]) -> dict[str, Column]:
    """The columns that are there, by our names.

    Raises:
        BadInputError: If one is not there that is needed, or was asked for by name.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MissingDependencyError("reading Parquet needs pyarrow: pip install shop-reco[science]") from error
    try:
        file = parquet.ParquetFile(path)
        there = file.schema_arrow.names
        names = {ours: theirs or ours for ours, theirs in columns.items() if theirs or ours in there or ours in needed}
        for ours, theirs in names.items():
            if theirs not in there:
                raise BadInputError(
                    f"{path} has no column {theirs!r} for the {ours}; it has {', '.join(there)}; "
                    f"name the right one with --{ours}-column"
                )
        table = file.read(columns=sorted(set(names.values())))
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise BadInputError(f"{path} is not a readable Parquet file: {error}") from error
    return {ours: table.column(theirs).to_numpy() for ours, theirs in names.items()}


def _ids(name: str, values: Column) -> Column:
    if values.size == 0:
        raise BadInputError(f"column {name} has no rows; there is nothing to measure")
    if values.dtype.kind == "f" or (
        values.dtype.kind == "O" and any(value is None or value != value for value in values)
    ):
        raise BadInputError(f"column {name} must be whole numbers or strings without missing values; drop those rows")
    return values


def _numbers(name: str, values: Column, *, missing: bool = False) -> npt.NDArray[np.float64]:
    """Numbers, or times as unix seconds."""
    if values.dtype.kind == "M":
        numbers = np.where(np.isnat(values), np.nan, values.astype("datetime64[ns]").astype(np.int64) / 1e9)
    else:
        try:
            numbers = values.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise BadInputError(f"column {name} must be numbers: {error}") from error
    if not missing and not np.all(np.isfinite(numbers)):
        raise BadInputError(f"column {name} has missing or infinite values; drop or fill those rows first")
    return np.asarray(numbers)


def _texts(table: Mapping[str, Column], name: str) -> list[str] | None:
    return [str(value) if value == value and value else "" for value in table[name].tolist()] if name in table else None


def _category(value: Any) -> tuple[str, ...]:
    if value is None or isinstance(value, float):
        return ()
    return tuple(value.split(" > ")) if isinstance(value, str) else tuple(str(name) for name in value)
