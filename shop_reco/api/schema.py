"""The schema, with the limits that every document must keep."""

from __future__ import annotations

import strawberry
from strawberry.extensions import AddValidationRules, MaxTokensLimiter, ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import merge_types

from .catalogue import CatalogueMutation
from .limits import TOKENS, DocumentLimits
from .mutations import Mutation
from .queries import Query
from .rows import LooseRows, take_any_value
from .types import EventInput

schema = strawberry.Schema(
    query=Query,
    mutation=merge_types("Mutation", (Mutation, CatalogueMutation)),
    config=StrawberryConfig(),
    extensions=[
        lambda: MaxTokensLimiter(max_token_count=TOKENS),
        lambda: AddValidationRules([DocumentLimits]),
        LooseRows,
        lambda: ParserCache(maxsize=128),
        lambda: ValidationCache(maxsize=128),
    ],
)
take_any_value(schema, EventInput)
