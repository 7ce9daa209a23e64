"""The schema, with the limits that every document must keep."""

from __future__ import annotations

import strawberry
from strawberry.extensions import AddValidationRules, ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from .account import AccountQuery
from .catalogue import CatalogueMutation
from .execution import Execution
from .glossary import describe
from .limits import CostLimit, DocumentLimits, NoIntrospection
from .lists import ListQuery
from .mutations import Mutation
from .nodes import NodeQuery
from .queries import Query
from .rows import LooseRows, take_any_value
from .staff import StaffMutation, StaffQuery
from .staff.types import ModelVersion, TrainingRun
from .types import EventInput, Product

schema = strawberry.Schema(
    query=merge_types("Query", (Query, ListQuery, AccountQuery, NodeQuery, StaffQuery)),
    mutation=merge_types("Mutation", (Mutation, CatalogueMutation, StaffMutation)),
    types=[Product, ModelVersion, TrainingRun],
    config=StrawberryConfig(),
    execution_context_class=Execution,
    extensions=[
        lambda: AddValidationRules([DocumentLimits]),
        LooseRows,
        NoIntrospection,
        CostLimit,
        lambda: ParserCache(maxsize=128),
        lambda: ValidationCache(maxsize=128),
    ],
)
take_any_value(schema, EventInput)
describe(schema)
