"""Anything by its id, as Relay asks again for what it knows."""

from __future__ import annotations

import strawberry

from shop_reco.products.selectors import product_by_public_id

from .context import Info
from .errors import ApiError
from .ids import kind_of, public_id_of
from .staff.permits import need
from .staff.queries import find_run, find_version
from .staff.types import ModelVersion, TrainingRun
from .types import Node, Product


@strawberry.type
class NodeQuery:
    @strawberry.field(description="Anything by its id; null where it is gone, or not for whoever asks.")
    def node(self, info: Info, id: strawberry.ID) -> Node | None:
        info.context.begin()
        kind = kind_of(id)
        if kind == "Product":
            found = product_by_public_id(public_id=public_id_of(kind, id))
            return Product.of(found) if found is not None and found.open else None
        try:
            return _of_staff(info, kind, id)
        except ApiError:
            return None


def _of_staff(info: Info, kind: str, id: str) -> Node | None:
    """Raises ApiError if it is not there, or not for whoever asks."""
    if kind == "ModelVersion":
        need(info, "view_modelversion")
        return ModelVersion.of(find_version(id))
    if kind == "TrainingRun":
        need(info, "view_trainingrun")
        return TrainingRun.of(find_run(id))
    return None
