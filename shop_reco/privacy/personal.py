"""Which tables hold rows of a shopper: each app names its own, in ``personal`` of its AppConfig.

A host's app may have ``personal`` too; its rows are then exported and erased with ours.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.apps import apps
from django.db.models import Model, Q, QuerySet


@dataclass(frozen=True, slots=True)
class PersonalTable:
    """A table, and the lookups from its rows to the shopper whose they are."""

    model: type[Model]
    paths: tuple[str, ...]

    @property
    def name(self) -> str:
        return str(self.model._meta.model_name)

    def rows(self, *, shopper_ids: Collection[int]) -> QuerySet[Any]:
        """Every row of these shoppers."""
        mine = reduce(or_, (Q(**{f"{path}__in": list(shopper_ids)}) for path in self.paths))
        return self.model._base_manager.filter(mine)


def personal_tables() -> list[PersonalTable]:
    """In the order of INSTALLED_APPS: what a row rests on comes before it."""
    return [
        PersonalTable(config.get_model(name), tuple(paths))
        for config in apps.get_app_configs()
        for name, paths in getattr(config, "personal", {}).items()
    ]
