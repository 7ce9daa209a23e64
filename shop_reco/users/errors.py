"""What cannot be done to a shopper or a key."""

from __future__ import annotations


class UnknownStatementError(ValueError):
    """A decision names a consent statement that nobody was ever shown."""


class DeadKeyError(ValueError):
    """A key that was revoked or has ended is followed by none."""


class RotatingKeyError(ValueError):
    """A key is in the midst of a rotation already: two of one name are taken at a time, and no third."""


class StoreAwayError(RuntimeError):
    """The store of the shared buckets does not answer; every process goes on with its own."""
