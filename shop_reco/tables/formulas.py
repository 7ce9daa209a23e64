"""Text that a spreadsheet would run, made harmless on the way out and taken back on the way in.

Source:
    OWASP, "CSV Injection": a cell is run when it begins with one of = + - @ tab CR, in either width.
"""

from __future__ import annotations

import re

_RUN = re.compile(r"['\"]*[=+\-@\t\r\n＝＋－＠]")


def escaped(text: str) -> str:
    """``text`` with an apostrophe before it where a spreadsheet would take it for a formula."""
    return f"'{text}" if _RUN.match(text) else text


def plain(text: str) -> str:
    """What ``escaped`` was given."""
    return text[1:] if text[:1] == "'" and _RUN.match(text, 1) else text
