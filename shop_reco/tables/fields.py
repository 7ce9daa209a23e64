"""Which column of a file is which field of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from .errors import ColumnError

REMEMBERED = 1000  # names of columns


@dataclass(kw_only=True)
class Fields:
    """``mapped`` names a field for a column, "" for none; ``constants`` hold for all rows, whatever the file says.

    A column that is not mapped is the field of the same name, whatever its capitals, blanks and hyphens.

    Raises:
        ColumnError: If a field is unknown, or two columns are one field.
    """

    known: Sequence[str]
    mapped: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    prefix: str = ""
    """Columns that begin so are fields too, with the rest of their name."""

    def __post_init__(self) -> None:
        for name in [*(each for each in self.mapped.values() if each), *self.constants]:
            self._check(name)
        targets = [name for name in self.mapped.values() if name]
        for name in targets:
            if targets.count(name) > 1:
                raise ColumnError(f"two columns are mapped to {name}; map one of them")
        self._targets = frozenset([*targets, *self.constants])
        self._plain = {name.replace("_", ""): name for name in self.known}
        self._found: dict[str, str] = {}

    def _check(self, name: str) -> None:
        if name in self.known or (self.prefix and name.startswith(self.prefix)):
            return
        close = get_close_matches(name, self.known, 1)
        meant = f"; did you mean {close[0]}?" if close else ""
        raise ColumnError(f"there is no field {name!r}{meant} The fields: {', '.join(self.known)}")

    def field_of(self, column: str) -> str:
        """The field, or "" where the column is none."""
        found = self._found.get(column)
        if found is None:
            if len(self._found) > REMEMBERED:
                self._found.clear()
            found = self._found[column] = self._looked_up(column)
        return found

    def _looked_up(self, column: str) -> str:
        if column in self.mapped:
            return self.mapped[column]
        name = column.strip()
        if self.prefix and name.startswith(self.prefix):
            return name
        found = self._plain.get("".join(each for each in name.lower() if each not in " _-"), "")
        return "" if found in self._targets else found

    def check(self, columns: Sequence[str], *, needed: Sequence[str | tuple[str, ...]]) -> tuple[str, ...]:
        """The columns of no use; a tuple among ``needed`` asks for one of several.

        Raises:
            ColumnError: If a column to be mapped is not there, a needed field has no column, or one has two.
        """
        for column in self.mapped:
            if column not in columns:
                raise ColumnError(f"there is no column {column!r} to map; the columns: {', '.join(columns)}")
        found: dict[str, str] = {}
        for column in columns:
            name = self.field_of(column)
            if name and name in found:
                raise ColumnError(
                    f"the columns {found[name]!r} and {column!r} are both {name}; choose one with --map {column}={name}"
                )
            if name:
                found[name] = column
        for each in needed:
            choices = (each,) if isinstance(each, str) else each
            if not any(name in found or name in self.constants for name in choices):
                raise ColumnError(
                    f"no column is {' or '.join(choices)}; the columns: {', '.join(columns)}. "
                    f"Name one with --map COLUMN={choices[0]}, or give all rows the same with --set {choices[0]}=VALUE"
                )
        return tuple(column for column in columns if not self.field_of(column) and column not in self.mapped)

    def of(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of one row; what is empty is left out."""
        named: dict[str, Any] = {}
        for column, value in values.items():
            if value is None or value == "":
                continue
            name = self._found.get(column)
            if name is None:
                name = self.field_of(column)
            if name:
                named[name] = value
        if self.constants:
            named.update(self.constants)
        return named

    def column_of(self, name: str, columns: Sequence[str]) -> str:
        """The file's own name for a field, for people who mend it."""
        return next((column for column in columns if self.field_of(column) == name), name)
