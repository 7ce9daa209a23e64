"""Django's PostgreSQL backend for processes that somebody waits for: a server that says nothing is given up.

A server that stands still refuses nothing, and no limit of its own ends a statement. ``patience`` among the OPTIONS is
for how many seconds one answer is waited for; then the connection is closed, and the caller gets an OperationalError.
Give it to web processes only, and above their statement_timeout, which tells more where the server still can.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from types import MethodType
from typing import Any

import psycopg
from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        found: dict[str, Any] = super().get_connection_params()
        patience = found.pop("patience", None)
        if patience is not None:
            found.setdefault("connect_timeout", max(2, round(patience)))  # libpq takes 2 seconds at least
        return found

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        patience = self.settings_dict["OPTIONS"].get("patience")
        if patience is not None:
            connection.wait = MethodType(_waiting(patience), connection)
        return connection


def _waiting(patience: float) -> Any:
    """What a connection does in place of ``psycopg.Connection.wait``, through which each of its answers comes."""

    def wait(connection: psycopg.Connection[Any], answer: Any, *arguments: Any, **more: Any) -> Any:
        limited = _limited(answer, connection, patience)
        return type(connection).wait(connection, limited, *arguments, **more)

    return wait


def _limited(answer: Any, connection: psycopg.Connection[Any], patience: float) -> Generator[Any, Any, Any]:
    """The same answer; psycopg asks it several times a second whether there is news."""
    deadline = time.monotonic() + patience
    try:
        wanted = next(answer)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() > deadline:
                connection.pgconn.finish()
                raise psycopg.OperationalError(f"the database did not answer within {patience:g} s")
            wanted = answer.send(ready)
    except StopIteration as told:
        return told.value
