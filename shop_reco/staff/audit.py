"""Keeping what staff do: who, when, what, to which row, and what was before and after."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from .models import StaffAction
from .pages import HIDDEN, SHOPPER
from .sensitive import PERSONAL, hidden_fields

LONGEST = 200
"""Characters of a text that are kept."""
CHUNK = 500
EMPTY: tuple[Any, ...] = (None, "", [], {})
Values = Mapping[str, Any]
NOTHING: tuple[Any, dict[str, Any]] = (None, {})


@contextmanager
def noted(
    *,
    by: Any,
    what: str,
    model: type[Model],
    pks: Collection[Any],
    via: str = StaffAction.Via.ADMIN,
    why: str = "",
) -> Iterator[None]:
    """Keep what happens to these rows inside; the record and the change are one transaction.

    A row that stays as it was leaves no record: nothing was done to it.
    """
    with transaction.atomic():
        before = {pk: (row, values_of(row)) for pk, row in _rows(model, pks).items()}
        yield
        after = {pk: (row, values_of(row)) for pk, row in _rows(model, pks).items()}
        done = list[StaffAction]()
        for pk in {**before, **after}:
            (old, was), (new, now) = before.get(pk, NOTHING), after.get(pk, NOTHING)
            if changes := differences(model, was, now):
                done.append(_action(by=by, what=what, row=new or old, changes=changes, via=via, why=why))
        StaffAction.objects.bulk_create(done, batch_size=CHUNK)


def note(
    *, by: Any, what: str, row: Model | None, changes: Values | None = None, via: str = "admin", why: str = ""
) -> None:
    """Keep one thing that was done to ``row``; ``changes`` come from ``differences``."""
    _action(by=by, what=what, row=row, changes=changes, via=via, why=why).save()


def _action(*, by: Any, what: str, row: Model | None, changes: Values | None, via: str, why: str) -> StaffAction:
    """What has no name among ``StaffAction.What`` is a change: nothing that staff do fails for want of a word."""
    return StaffAction(
        at=timezone.now(),
        staff=by,
        who=by.get_username()[:150] if by is not None else "",
        what=what if what in StaffAction.What.values else StaffAction.What.CHANGE,
        model=row._meta.label_lower if row is not None else "",
        object_id=str(row.pk)[:64] if row is not None else "",
        name=_name_of(row) if row is not None else "",
        changes=dict(changes or {}),
        why=why.strip()[:256].replace("\x00", ""),
        via=via,
    )


def values_of(row: Any) -> dict[str, Any]:
    """What stands in a row, by field; a query for each field that has many values, empty for no row."""
    if row is None:
        return {}
    values = {field.name: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return values | {field.name: sorted(map(str, getattr(row, field.name).all())) for field in row._meta.many_to_many}


def differences(model: type[Model], before: Values, after: Values) -> dict[str, list[Any]]:
    """Before and after of each field that differs; of what is secret or personal only that it does."""
    hidden, changes = hidden_fields(model), dict[str, list[Any]]()
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if old == new or (old in EMPTY and new in EMPTY):
            continue
        changes[name] = [_kept(each, name in hidden) for each in (old, new)]
    return changes


def _kept(value: Any, hidden: bool) -> Any:
    if value in EMPTY:
        return None
    if hidden:
        return HIDDEN
    if isinstance(value, bool | int | float):
        return value
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _rows(model: type[Model], pks: Collection[Any]) -> dict[Any, Model]:
    keys, found = list(pks), dict[Any, Model]()
    for start in range(0, len(keys), CHUNK):
        rows = model._base_manager.filter(pk__in=keys[start : start + CHUNK])
        found.update((each.pk, each) for each in rows)
    return found


def _name_of(row: Model) -> str:
    """What a row is called, where that is nobody's name and not the pseudonym of somebody who may leave."""
    of_somebody = row._meta.label in PERSONAL or any(
        field.related_model is not None and field.related_model._meta.label == SHOPPER
        for field in row._meta.concrete_fields
    )
    return "" if of_somebody else str(row)[:128].replace("\x00", "")
