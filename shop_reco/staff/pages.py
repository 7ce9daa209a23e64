"""What a page of the admin leaves out for whoever reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.db.models.constants import LOOKUP_SEP

from .sensitive import PERSONAL, may_see_personal_data, personal_fields

HIDDEN = "•••"
SHOPPER = "reco_users.Shopper"
"""Named by its label: the app of shoppers lies above this one."""


def show_to(reader: Any, rows: Iterable[Model]) -> None:
    """Mark rows, and what was fetched along with them, by who reads them: a shopper's name goes by it."""
    for each in rows:
        for seen in (each, *each._state.fields_cache.values()):
            if isinstance(seen, Model):
                seen.seen_by = reader  # type: ignore[attr-defined]


def fetch_shoppers(row: Model) -> None:
    """Fetch the shoppers that a row names; a query for each that was not."""
    for field in row._meta.concrete_fields:
        if field.related_model is not None and field.related_model._meta.label == SHOPPER:
            getattr(row, field.name)


def is_closed(model: type[Model], path: str, reader: Any) -> bool:
    """Whether a lookup such as ``=shopper__external_id`` would tell a reader what is hidden from them.

    Also where it would tell which rows are of one shopper to somebody who may not see shoppers.
    """
    if may_see_personal_data(reader):
        return False
    steps = list(_steps(model, path))
    if any(name in personal_fields(owner) for owner, name in steps):
        return True
    of_one = any(SHOPPER in (owner._meta.label, _leads_to(owner, name)) for owner, name in steps)
    return of_one and not reader.has_perm("reco_users.view_shopper")


def _steps(model: type[Model], path: str) -> Iterator[tuple[type[Model], str]]:
    owner: Any = model
    for part in path.lstrip("^=@-").split(LOOKUP_SEP):
        try:
            field = owner._meta.pk if part == "pk" else owner._meta.get_field(part.removesuffix("_id"))
        except FieldDoesNotExist:
            yield owner, part
            return
        yield owner, field.name
        if not field.related_model:
            return
        owner = field.related_model


def _leads_to(owner: type[Model], name: str) -> str:
    try:
        related: Any = owner._meta.get_field(name).related_model
    except FieldDoesNotExist:
        return ""
    return str(related._meta.label) if related else ""


@cache
def masks(model: type[Model]) -> dict[str, Callable[[Any], str]]:
    """For each personal field of a model, a column of the same name that says nothing."""
    return {name: _mask(model, name) for name in PERSONAL.get(model._meta.label, ())}


def _mask(model: type[Model], name: str) -> Callable[[Any], str]:
    def masked(row: Any) -> str:
        return HIDDEN

    masked.__name__ = name
    masked.short_description = model._meta.get_field(name).verbose_name  # type: ignore[attr-defined, union-attr]
    return masked


def masked(model: type[Model], names: Iterable[Any]) -> list[Any]:
    """The names of fields with each personal one as a mask, once; what stands side by side stays so."""
    ours, shown = masks(model), list[Any]()
    for name in names:
        each = masked(model, name) if isinstance(name, list | tuple) else ours.get(name, name)
        if each not in shown:
            shown.append(each)
    return shown
