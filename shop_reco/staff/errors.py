"""What staff cannot do."""

from __future__ import annotations


class AppendOnlyError(TypeError):
    """What staff did is recorded once; the record is neither changed nor deleted."""


class UnknownCodeError(ValueError):
    """A code of a second factor that is none, was taken before, or came too early after failures."""


class AlreadyEnrolledError(ValueError):
    """The account has a second factor, which has to be shown before another takes its place."""
