"""Whether the schema tells of itself: in development it does; clients read schema.graphql."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from graphql import FieldNode, ValidationRule
from strawberry.extensions import SchemaExtension

from shop_reco.api.errors import ApiError
from shop_reco.conf import reco_settings


class NoIntrospection(SchemaExtension):
    """Refuses questions about the schema where INTROSPECTION is off."""

    def on_operation(self) -> Iterator[None]:
        allowed = reco_settings().INTROSPECTION
        if not (settings.DEBUG if allowed is None else allowed):
            self.execution_context.validation_rules = (*self.execution_context.validation_rules, _NoQuestions)
        yield


class _NoQuestions(ValidationRule):
    def enter_field(self, node: FieldNode, *args: Any) -> None:
        if node.name.value in {"__schema", "__type"}:
            self.report_error(
                ApiError("INTROSPECTION_OFF", "the schema is not told here; it is published as schema.graphql")
            )
