"""What cannot be done to the records of staff."""

from __future__ import annotations


class AppendOnlyError(TypeError):
    """What staff did is recorded once; the record is neither changed nor deleted."""
