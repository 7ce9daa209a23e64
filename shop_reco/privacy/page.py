"""The page of an export: everything in words, in one file that loads nothing from anywhere."""

from __future__ import annotations

import datetime as dt
import json
from html import escape
from typing import Any, TextIO
from uuid import UUID

from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from shop_reco.recommendations.models import Slate

from .sections import Column, Names, Section

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, "Noto Sans SC", sans-serif; }
body { max-width: 70rem; margin: 0 auto; padding: 1.5rem; }
section { margin-top: 2.5rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .875rem; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid #8884; text-align: left; vertical-align: top; }
th { white-space: nowrap; }
td { overflow-wrap: anywhere; min-width: 4rem; }
ol { margin: 0; padding-left: 1.2rem; min-width: 30rem; }
.none { opacity: .7; margin-top: 2.5rem; }
"""
TECHNICAL = frozenset(
    {"id", "session", "slate_id", "versions", "context", "counts", "clock_skewed", "earlier", "scored_at"}
)
"""Columns that say nothing to people; data.json has them."""


class Page:
    """Writes sections one after the other; call ``begin``, ``row`` for each row, ``close``, and last ``end``."""

    def __init__(self, file: TextIO, names: Names) -> None:
        self._file, self._names = file, names
        self._columns: tuple[Column, ...] = ()
        self._products: dict[UUID, str] = {}
        self._title, self._rows = "", 0
        self._empty: list[str] = []
        self._kinds = {key: str(label) for key, label in Slate.ReasonKind.choices}
        title = escape(_("What this shop knows of you"))
        file.write(
            f'<!doctype html>\n<html lang="{escape(translation.get_language() or "en")}"><head><meta charset="utf-8">'
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{title}</title><style>{STYLE}</style></head><body><main>\n<h1>{title}</h1>\n"
            f"<p>{escape(_('Made on %(when)s.') % {'when': _worded_time(timezone.now())})} "
            f"{escape(_('The same is in data.json for programs, and in the folder csv for spreadsheets.'))}</p>\n"
        )

    def begin(self, section: Section) -> None:
        self._columns = tuple(column for column in section.columns if column.name not in TECHNICAL)
        self._title, self._rows = section.title, 0

    def row(self, row: dict[str, Any]) -> None:
        if self._rows == 0:
            heads = "".join(f'<th scope="col">{escape(column.label)}</th>' for column in self._columns)
            self._file.write(
                f'<section><h2>{escape(self._title)}</h2><div class="wide"><table>'
                f"<thead><tr>{heads}</tr></thead><tbody>\n"
            )
        self._rows += 1
        self._file.write("<tr>" + "".join(f"<td>{self._cell(each, row)}</td>" for each in self._columns) + "</tr>\n")

    def close(self) -> None:
        if self._rows:
            self._file.write("</tbody></table></div></section>\n")
        else:
            self._empty.append(self._title)

    def end(self) -> None:
        if self._empty:
            nothing = _("Nothing is kept under: %(titles)s.") % {"titles": ", ".join(self._empty)}
            self._file.write(f'<p class="none">{escape(nothing)}</p>\n')
        self._file.write("</main></body></html>\n")
        self._file.flush()

    def _cell(self, column: Column, row: dict[str, Any]) -> str:
        value = row.get(column.name)
        if column.name == "items" and isinstance(value, list):
            return self._listed(value)
        if isinstance(value, list):
            return escape(", ".join(map(self._word, value)))
        if isinstance(value, dict):
            pairs = ((name, self._word(inner)) for name, inner in value.items())
            return escape("; ".join(f"{name}: {word}" for name, word in pairs))
        if column.choices and value in column.choices:
            return escape(column.choices[value])
        return escape(self._word(value))

    def _listed(self, items: list[Any]) -> str:
        """A served list: each product with the reasons that were shown, and their points."""
        told = []
        for item in items:
            reasons = [self._reason(each) for each in item.get("reasons", ())]
            why = f" ({escape('; '.join(reasons))})" if reasons else ""
            told.append(f"<li><bdi>{escape(self._word(item.get('product')))}</bdi>{why}</li>")
        return f"<ol>{''.join(told)}</ol>"

    def _reason(self, reason: dict[str, Any]) -> str:
        kind = self._kinds.get(reason["kind"], reason["kind"])
        evidence = ", ".join(self._word(each) for each in reason.get("evidence", ()))
        return f"{kind}{': ' + evidence if evidence else ''}, {reason['points']:.3f}"

    def _word(self, value: Any) -> str:
        """One value as people read it; a product by its title."""
        if value is None or value == "":
            return "-"
        if isinstance(value, UUID):
            return self._name(value) or str(value)
        if isinstance(value, bool):
            return _("Yes") if value else _("No")
        if isinstance(value, dt.datetime):
            return _worded_time(value)
        if isinstance(value, float):
            return f"{value:.4g}"
        if isinstance(value, dict | list):
            return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
        return str(value)

    def _name(self, public_id: UUID) -> str:
        if len(self._products) < len(self._names):
            self._products = {each.public_id: each.title for each in self._names.values()}
        return self._products.get(public_id, "")


def _worded_time(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"  # Django's own formatting is ten times slower
