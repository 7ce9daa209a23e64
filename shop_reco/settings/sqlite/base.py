"""Django's SQLite backend, with writers of all processes queueing on one file lock.

SQLite's own busy handler sleeps and retries, so that an unlucky writer waits many times longer than the
others; a lock that is waited for in turn does not. Reads take no lock. A write waits for the ``timeout`` of the
connection's options at most, whatever it waits for.
"""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.backends.sqlite3.schema import DatabaseSchemaEditor
from django.db.utils import OperationalError
from filelock import FileLock, Timeout

POLL = 0.002
"""Seconds between two looks at a lock that another process holds."""

_turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
"""The threads of one process queue here, so that only one of them asks for the file lock."""

os.register_at_fork(after_in_child=_turns.clear)


class WriteLock:
    """The right to write to a database file: one thread of one process has it.

    Whoever waits for it holds the place at the head of the queue, so that a busy process, whose next thread is
    always quicker than another process that looks every few milliseconds, cannot keep it for itself.
    """

    def __init__(self, name: str) -> None:
        self._turn = _turns[name]
        self._head = FileLock(f"{name}.write-queue", thread_local=False)
        self._file = FileLock(f"{name}.write-lock", thread_local=False)

    def acquire(self, seconds: float) -> None:
        """Raises OperationalError if others do not let go in time."""
        deadline = time.monotonic() + seconds
        if not self._turn.acquire(timeout=seconds):
            raise OperationalError(TOO_LONG)
        try:
            self._head.acquire(timeout=max(0.0, deadline - time.monotonic()), poll_interval=POLL)
            try:
                self._file.acquire(timeout=max(0.0, deadline - time.monotonic()), poll_interval=POLL)
            finally:
                self._head.release()
        except Timeout as error:
            self._turn.release()
            raise OperationalError(TOO_LONG) from error
        except BaseException:
            self._turn.release()
            raise

    def release(self) -> None:
        self._file.release()
        self._turn.release()


TOO_LONG = "database is locked: another writer held it too long"


class SchemaEditor(DatabaseSchemaEditor):
    """Takes its turn as well where a migration is in no transaction (``atomic = False``).

    Otherwise its statements would have to hit upon a moment in which nobody writes, and in a busy shop would not.
    """

    connection: DatabaseWrapper

    def execute(self, sql: Any, params: Any = ()) -> Any:
        with self.connection.a_turn(needed=not self.collect_sql):
            return super().execute(sql, params)


class DatabaseWrapper(base.DatabaseWrapper):
    SchemaEditorClass = SchemaEditor
    _holds: WriteLock | None = None

    @contextmanager
    def a_turn(self, *, needed: bool = True) -> Iterator[None]:
        """The right to write, for a statement by itself; a transaction has it already."""
        lock = self._write_lock() if needed and self._holds is None else None
        if lock is None:
            yield
            return
        lock.acquire(float(self.settings_dict["OPTIONS"].get("timeout", 5)))
        try:
            yield
        finally:
            lock.release()

    def _write_lock(self) -> WriteLock | None:
        name = str(self.settings_dict["NAME"])
        if name == ":memory:" or "mode=memory" in name:
            return None
        return WriteLock(name)

    def _start_transaction_under_autocommit(self) -> None:
        lock, began = self._write_lock(), time.monotonic()
        limit = float(self.settings_dict["OPTIONS"].get("timeout", 5))
        if lock is not None:
            lock.acquire(limit)
        try:
            self._begin(limit, limit - (time.monotonic() - began))
        except BaseException:
            if lock is not None:
                lock.release()
            raise
        self._holds = lock

    def _begin(self, limit: float, left: float) -> None:
        """Begin once whoever writes without our lock is done, within the seconds left of the limit."""
        if left > 0.9 * limit:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
            return
        self.connection.execute(f"PRAGMA busy_timeout = {max(0, int(left * 1000))}")
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        finally:
            self.connection.execute(f"PRAGMA busy_timeout = {int(limit * 1000)}")

    def _let_go(self) -> None:
        if self._holds is not None:
            self._holds.release()
            self._holds = None

    def _commit(self) -> Any:
        try:
            return super()._commit()  # type: ignore[misc]
        finally:
            if not self._in_transaction():
                self._let_go()

    def _rollback(self) -> Any:
        try:
            return super()._rollback()  # type: ignore[misc]
        finally:
            if not self._in_transaction():
                self._let_go()

    def _close(self) -> Any:
        try:
            return super()._close()  # type: ignore[misc]
        finally:
            self._let_go()

    def _in_transaction(self) -> bool:
        return self.connection is not None and self.connection.in_transaction
