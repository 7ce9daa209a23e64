"""JSON Lines: one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from .opening import Caps, Overlong
from .rows import BadRow, Row, without_error_columns


def rows(numbered: Iterator[tuple[int, bytes]], caps: Caps) -> Iterator[Row | BadRow]:
    """One row a line; blank lines are passed over."""
    for number, line in numbered:
        if type(line) is Overlong:
            why = f"line {number} is longer than IMPORT_ROW_BYTES = {caps.row_bytes} bytes"
            yield BadRow(number, "TOO_LONG", why, line.decode(errors="backslashreplace"), len(line))
            continue
        if not line.strip():
            continue
        try:
            yield Row(number, _object(line), len(line))
        except ValueError as error:
            text = line[:1000].decode(errors="backslashreplace")
            yield BadRow(number, "MALFORMED", f"line {number} {error}", text, len(line))


def _object(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line.decode(), parse_constant=_refused)
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8 at byte {error.start}; save the file as UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"is not JSON at character {error.pos + 1}: {error.msg}") from None
    except RecursionError:
        raise ValueError("is nested too deep; an event or product is one flat object") from None
    if not isinstance(value, dict):
        raise ValueError("must be one JSON object: {...}")
    return without_error_columns(value)


def _refused(name: str) -> NoReturn:
    raise ValueError(f"has {name}, which is no JSON; leave the value out")
