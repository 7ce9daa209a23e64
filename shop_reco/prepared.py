"""Queries that are put together once: Django takes longer over the words of a short query than its database over it."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Collection, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.models import QuerySet

Value = int | str | dt.datetime | Collection[int]
MOST = 512
"""Keys of a collection up to which its query is kept."""
FIRST_KEY, FIRST_DAY = 2**61, dt.datetime(1601, 1, 1, tzinfo=dt.UTC)
"""Stand-ins for values while a query is put together, which no value of a shop is."""


@dataclass(frozen=True, slots=True)
class _Query:
    """A query of one thread: its parameters, and which of them come from which value."""

    rows: QuerySet[Any, Any]
    compiler: Any
    sql: str
    parameters: tuple[Any, ...]
    slots: tuple[tuple[int, int], ...]

    def run(self, values: list[Any]) -> list[Any]:
        parameters = list(self.parameters)
        for place, number in self.slots:
            parameters[place] = values[number]
        self.compiler.as_sql = lambda *args, **settings: (self.sql, tuple(parameters))
        found: Any = self.rows._iterable_class(self.rows)
        return list(found)


class Prepared:
    """A query built by a function of its values, which may not look at them: it is built once for all of them.

    Values are whole numbers, texts, moments and collections of primary keys; what else the query depends on is given
    by name, and it is built for each. A collection gives a query for each power of two of keys, some of them twice.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Any]]) -> None:
        self._build, self._own = build, threading.local()

    def __call__(self, *values: Value, **given: Hashable) -> list[Any]:
        """The rows; one query, none where a collection is empty."""
        sizes = tuple(len(value) if _many(value) else None for value in values)  # type: ignore[arg-type]
        if 0 in sizes:
            return []
        if any(size is not None and size > MOST for size in sizes):
            return list(self._build(*values, **given))
        padded = tuple(None if size is None else 1 << (size - 1).bit_length() for size in sizes)
        key = (padded, tuple(map(type, values)), *sorted(given.items()))
        queries: dict[Hashable, _Query] = vars(self._own).setdefault("queries", {})
        query = queries.get(key)
        if query is None or query.compiler.connection is not connections[query.compiler.using]:
            query = queries[key] = self._prepared(values, padded, given)
        return query.run(list(_adapted(query.compiler.connection, values, padded)))

    def _prepared(self, values: tuple[Value, ...], sizes: tuple[int | None, ...], given: dict[str, Hashable]) -> _Query:
        keys, days = iter(range(FIRST_KEY, FIRST_KEY + 10**6)), iter(range(10**6))
        stand_ins: list[Any] = []
        for value, size in zip(values, sizes, strict=True):
            if size is not None:
                stand_ins.append([next(keys) for _ in range(size)])
            elif isinstance(value, dt.datetime):
                stand_ins.append(FIRST_DAY + dt.timedelta(days=next(days)))
            else:
                stand_ins.append(next(keys) if isinstance(value, int) else f"stand-in {next(keys)}")
        rows = self._build(*stand_ins, **given)
        compiler = rows.query.get_compiler(using=rows.db)
        sql, parameters = compiler.as_sql()
        numbers = {each: n for n, each in enumerate(_adapted(compiler.connection, tuple(stand_ins), sizes))}
        slots = tuple((place, numbers[each]) for place, each in enumerate(parameters) if _known(each, numbers))
        if {number for _, number in slots} != set(numbers.values()):
            raise ValueError(f"a value of {self._build.__name__} is not among its parameters")
        rows.query.get_compiler = lambda *args, **settings: compiler  # type: ignore[method-assign]
        return _Query(rows, compiler, sql, tuple(parameters), slots)


def _many(value: Value) -> bool:
    return not isinstance(value, int | str | dt.datetime)


def _known(parameter: Any, numbers: dict[Any, int]) -> bool:
    return isinstance(parameter, Hashable) and parameter in numbers


def _adapted(connection: Any, values: tuple[Any, ...], sizes: tuple[int | None, ...]) -> Iterator[Any]:
    """As the database takes them, collections spread out and filled up with their last key."""
    for value, size in zip(values, sizes, strict=True):
        if size is not None:
            some = list(value)
            yield from some
            yield from some[-1:] * (size - len(some))
        else:
            yield connection.ops.adapt_datetimefield_value(value) if isinstance(value, dt.datetime) else value
