"""Django's SQLite backend, with writers of all processes queueing on one file lock.

SQLite's own busy handler sleeps and retries, so that an unlucky writer waits many times longer than the
others; a lock that is waited for in turn does not. Reads take no lock.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError
from filelock import FileLock, Timeout


class DatabaseWrapper(base.DatabaseWrapper):
    _holds: FileLock | None = None

    def _write_lock(self) -> FileLock | None:
        name = str(self.settings_dict["NAME"])
        if name == ":memory:" or "mode=memory" in name:
            return None
        return FileLock(f"{name}.write-lock", timeout=float(self.settings_dict["OPTIONS"].get("timeout", 5)))

    def _start_transaction_under_autocommit(self) -> None:
        lock = self._write_lock()
        if lock is not None:
            try:
                lock.acquire(poll_interval=0.005)
            except Timeout as error:
                raise OperationalError("database is locked: another writer held it too long") from error
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            if lock is not None:
                lock.release()
            raise
        self._holds = lock

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
