"""What a table of the admin is narrowed to, in words: its filters, its search, and what a link elsewhere asked for."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import FieldDoesNotExist
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

DAY = dt.timedelta(days=1)
FROM, BEFORE = "gte", "lt"
"""The bounds by which links name a time."""


def narrowed(changes: ChangeList) -> list[tuple[str, str]]:
    """Each thing that is asked of the rows, as what and which; nothing where the table shows them all."""
    by_filters = {name for spec in changes.filter_specs for name in spec.expected_parameters()}
    asked = {name: values[-1] for name, values in changes.get_filters_params().items() if name not in by_filters}
    told = [*_chosen(changes), *_linked(changes.model, asked)]
    return [*told, (_("Search"), changes.query)] if changes.query else told


def _chosen(changes: ChangeList) -> Iterator[tuple[str, str]]:
    """What filters are set to; a value that a filter does not offer is told as it stands in the address."""
    for spec in changes.filter_specs:
        if not any(spec.used_parameters.values()):
            continue
        raw = [changes.params[name] for name in spec.expected_parameters() if name in changes.params]
        shown = [str(each["display"]) for each in spec.choices(changes) if each["selected"]]
        yield capfirst(str(spec.title)), ", ".join(shown or raw)


def _linked(model: Any, asked: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What no filter offers and only an address can ask for; the bounds of a time are one thing."""
    bounds: dict[str, dict[str, dt.datetime]] = defaultdict(dict)
    for lookup, value in asked.items():
        name, _dash, bound = lookup.rpartition("__")
        moment = parse_datetime(value) if bound in (FROM, BEFORE) else None
        if moment is None:
            yield _label(model, lookup), value
        else:
            bounds[name][bound] = moment if timezone.is_aware(moment) else timezone.make_aware(moment)
    for name, between in bounds.items():
        yield _label(model, name), _span(between)


def _span(between: Mapping[str, dt.datetime]) -> str:
    """A whole day by its date; the counts that lead here are of days of UTC."""
    first, end = between.get(FROM), between.get(BEFORE)
    if first is not None and end is not None and end - first == DAY and _starts_a_day(first):
        return _("%(day)s (UTC)") % {"day": date_format(first.astimezone(dt.UTC))}
    told = []
    if first is not None:
        told.append(_("from %(at)s") % {"at": _said(first)})
    if end is not None:
        told.append(_("before %(at)s") % {"at": _said(end)})
    return ", ".join(told)


def _starts_a_day(moment: dt.datetime) -> bool:
    return moment.astimezone(dt.UTC).time() == dt.time.min


def _said(moment: dt.datetime) -> str:
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT")


def _label(model: Any, lookup: str) -> str:
    try:
        return capfirst(str(model._meta.get_field(lookup.partition("__")[0]).verbose_name))
    except FieldDoesNotExist:
        return lookup
