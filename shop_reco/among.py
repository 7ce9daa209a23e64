"""Rows whose column holds one of many values."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import F, Lookup
from django.db.models.lookups import In


class Among(Lookup):
    """A condition for ``filter``: as ``column__in``, but to PostgreSQL the values go as one array.

    A parameter of its own for each of a thousand values costs Django, the driver and PostgreSQL's parser more than the
    rows that are found.
    """

    lookup_name = "among"
    prepare_rhs = False

    def __init__(self, column: Any, values: Collection[Any]) -> None:
        super().__init__(F(column) if isinstance(column, str) else column, values)

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        if not self.rhs:
            raise EmptyResultSet
        column, params = self.process_lhs(compiler, connection)
        condition, values = one_of(self.rhs, connection)
        return f"{column} {condition}", [*params, *values]

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        return In(self.lhs, self.rhs).as_sql(compiler, connection)


def one_of(values: Collection[Any], connection: Any) -> tuple[str, list[Any]]:
    """What comes after the column in a statement of one's own, and the parameters of it; of some values, not none."""
    if connection.vendor == "postgresql":
        return "= ANY(%s)", [list(values)]
    return f"IN ({', '.join(['%s'] * len(values))})", list(values)
