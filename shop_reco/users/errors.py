"""What cannot be done to a shopper."""

from __future__ import annotations


class UnknownStatementError(ValueError):
    """A decision names a consent statement that nobody was ever shown."""
