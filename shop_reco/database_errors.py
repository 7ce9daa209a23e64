"""What a failure of the database means: try at once, tell the client to try later, or a fault of ours."""

from __future__ import annotations

from django.db import IntegrityError, InterfaceError, OperationalError

RACES = frozenset({"40001", "40P01", "SQLITE_BUSY_SNAPSHOT"})
"""A serialisation failure, a deadlock, and SQLite's word for a read that another write made stale."""


def _code(error: BaseException) -> str:
    """The driver's own name of what went wrong, if it has one."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None) or ""


def lost_a_race(error: BaseException) -> bool:
    """Whether the same work may succeed if it is done again at once."""
    return isinstance(error, IntegrityError) or (isinstance(error, OperationalError) and _code(error) in RACES)


def cannot_serve(error: BaseException | None) -> bool:
    """Whether the database cannot do it now: full, locked for too long, read-only, or not there.

    SQLITE_ERROR is what a statement gets that is wrong itself: a table that is missing.
    """
    if isinstance(error, OperationalError | InterfaceError):
        return _code(error) != "SQLITE_ERROR"
    return error is not None and _code(error) == "25006"  # PostgreSQL on a standby, or with no room left to write
