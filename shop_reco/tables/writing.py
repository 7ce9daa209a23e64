"""How a file writes times and numbers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

UNIX = {"unix": 1.0, "unix-ms": 1000.0}


@dataclass(frozen=True, kw_only=True)
class Writing:
    """``time_format`` is strptime's, unix or unix-ms, ISO 8601 where empty; ``zone`` is of times that name none.

    Raises:
        ZoneInfoNotFoundError: If there is no such zone.
    """

    time_format: str = ""
    zone: str = ""
    decimal_comma: bool = False
    separator: str = ">"  # of the names on the way to a category

    def __post_init__(self) -> None:
        if self.zone:
            ZoneInfo(self.zone)

    def moment(self, value: Any) -> dt.datetime:
        """An aware time.

        Raises:
            ValueError: If it is none; the message goes on from the field's name.
        """
        if isinstance(value, dt.datetime):
            to_plain = getattr(value, "to_pydatetime", None)  # one finer than a microsecond
            moment = value if to_plain is None else to_plain(warn=False)
        elif isinstance(value, dt.date):
            moment = dt.datetime(value.year, value.month, value.day)
        else:
            moment = self._read(value)
        if moment.tzinfo is not None:
            return moment
        if not self.zone:
            raise ValueError("has no zone; say which one it is in with --time-zone")
        return moment.replace(tzinfo=ZoneInfo(self.zone))

    def _read(self, value: Any) -> dt.datetime:
        form = self.time_format
        try:
            if form in UNIX:
                return dt.datetime.fromtimestamp(float(value) / UNIX[form], tz=dt.UTC)
            return dt.datetime.strptime(str(value), form) if form else dt.datetime.fromisoformat(str(value))
        except (ValueError, TypeError, OverflowError, OSError):
            wanted = f"a time like {form}" if form else "an ISO 8601 time; another form is told by --time-format"
            raise ValueError(f"must be {wanted}") from None

    def number(self, text: str) -> str:
        """A number as Python writes it."""
        return text.replace(".", "").replace(",", ".") if self.decimal_comma else text
