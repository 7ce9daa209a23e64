"""The file of an export: data.json for machines, index.html for people, a CSV a table; written in bounded memory."""

from __future__ import annotations

import csv
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from shop_reco.tables.formulas import escaped
from shop_reco.users.models import Shopper

from .page import Page
from .sections import Names, Section, sections_of

STEP = 500
"""Rows between two reports of progress."""


def write_archive(*, shopper: Shopper, path: Path, progress: Callable[[float], None]) -> int:
    """Write all that is known of a shopper to a zip file; returns how many rows.

    Each row is read once and goes to three files beside ``path``, which are then packed.
    """
    names, rows = Names(), 0
    with tempfile.TemporaryDirectory(prefix=f"{path.stem}-", dir=path.parent) as name, ExitStack() as stack:
        folder = Path(name)
        data = stack.enter_context((folder / "data.json").open("w", encoding="utf-8"))
        page = Page(stack.enter_context((folder / "index.html").open("w", encoding="utf-8")), names)
        data.write('{"made_at":' + _json(timezone.now()))
        for done, section in enumerate(sections_of(shopper=shopper, names=names)):
            data.write(f",\n{_json(section.name)}:[")
            with (folder / f"{section.name}.csv").open("w", encoding="utf-8-sig", newline="") as sheet:
                for _ in _told(section, data, sheet, page, names):
                    rows += 1
                    if rows % STEP == 0:
                        progress(1 - 1 / (1 + done + rows / 10_000))  # how much is still to come nobody knows
            data.write("]")
        data.write(',\n"products":' + _json({str(each.public_id): each.title for each in names.values()}) + "}\n")
        page.end()
        data.close()
        with zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(folder.iterdir()):
                inside = file.name if file.suffix != ".csv" else f"csv/{file.name}"
                archive.write(file, inside)
    path.chmod(0o600)
    return rows


def _told(section: Section, data: TextIO, sheet: TextIO, page: Page, names: Names) -> Iterator[None]:
    """Write a section everywhere; yields after each row."""
    titles, table = {each.public_id: each.title for each in names.values()}, csv.writer(sheet)
    columns = [column.name for column in section.columns]
    table.writerow([*columns, *(["product_title"] if "product" in columns else [])])
    page.begin(section)
    for place, row in enumerate(section.rows):
        data.write(("," if place else "") + "\n" + _json(row))
        cells = [_cell(row.get(name)) for name in columns]
        if "product" in columns:
            product = row["product"]
            if product not in titles:
                titles.update((each.public_id, each.title) for each in names.values())
            cells.append(escaped(titles.get(product, "")))
        table.writerow(cells)
        page.row(row)
        yield
    page.close()


def _json(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)


def _cell(value: Any) -> Any:
    """One cell of a table; text that a spreadsheet would run is made harmless, numbers stay numbers."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict | list):
        return escaped(_json(value))
    if isinstance(value, UUID | str):
        return escaped(str(value))
    return escaped(value.isoformat() if hasattr(value, "isoformat") else str(value))
