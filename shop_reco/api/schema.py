"""The schema, with the limits that every document must keep."""

from __future__ import annotations

import strawberry
from strawberry.extensions import (
    AddValidationRules,
    MaxAliasesLimiter,
    MaxTokensLimiter,
    ParserCache,
    QueryDepthLimiter,
    ValidationCache,
)
from strawberry.schema.config import StrawberryConfig

from .mutations import Mutation
from .queries import Query

# One set of rules for all requests, so that a document that was valid once need not be checked again.
RULES = [
    *MaxAliasesLimiter(max_alias_count=15).validation_rules,
    *QueryDepthLimiter(max_depth=10).validation_rules,
]

schema = strawberry.Schema(
    query=Query,
    mutation=Mutation,
    config=StrawberryConfig(),
    extensions=[
        lambda: MaxTokensLimiter(max_token_count=1000),
        lambda: AddValidationRules(RULES),
        lambda: ParserCache(maxsize=128),
        lambda: ValidationCache(maxsize=128),
    ],
)
