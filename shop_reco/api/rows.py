"""Inputs whose rows are judged one by one: a value of the wrong form reaches the service as it came.

GraphQL itself refuses all of a request for one value that is, say, no UUID. Rows sent together are no concern of
each other, so their fields take any value here, and the service says which row is wrong and why. The schema
that clients see stays as it was declared.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar, cast

import strawberry
from graphql import (
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    ValidationContext,
    VariablesInAllowedPositionRule,
    value_from_ast_untyped,
)
from strawberry.extensions import SchemaExtension
from strawberry.utils.str_converters import to_snake_case

T = TypeVar("T")


def rows(declared: type[T]) -> type[T]:
    """Have resolvers receive this input as a mapping, not as an object of the class: cheap for hundreds of them."""
    definition: Any = declared.__strawberry_definition__  # type: ignore[attr-defined]
    definition.from_input = lambda cls, value, context: value
    return declared


def take_any_value(schema: strawberry.Schema, declared: type) -> None:
    """Loosen the fields of an input, and name them as Python does."""
    name = declared.__strawberry_definition__.name  # type: ignore[attr-defined]
    loosened = cast("GraphQLInputObjectType", schema._schema.type_map[name])
    for name, field in loosened.fields.items():
        field.type = _loose(field.type)
        field.out_name = to_snake_case(name)


def _loose(type_: Any) -> Any:
    if isinstance(type_, GraphQLNonNull | GraphQLList):
        return type(type_)(_loose(type_.of_type))
    loose = object.__new__(type(type_))
    loose.__dict__ |= type_.__dict__ | {
        "coerce_input_value": lambda value, *args: value,
        "coerce_input_literal": lambda node, *args: value_from_ast_untyped(node),
        "parse_value": lambda value, *args: value,
        "parse_literal": lambda node, *args: value_from_ast_untyped(node),
        "declared": type_,
    }
    return loose


def _declared(type_: Any) -> Any:
    if isinstance(type_, GraphQLNonNull | GraphQLList):
        inner = _declared(type_.of_type)
        return type_ if inner is type_.of_type else type(type_)(inner)
    return getattr(type_, "declared", type_)


class _DeclaredUsages:
    """A validation context in which a loosened field has the type that it was declared with."""

    def __init__(self, context: ValidationContext) -> None:
        self._context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def get_recursive_variable_usages(self, operation: Any) -> list[Any]:
        usages = self._context.get_recursive_variable_usages(operation)
        return [usage._replace(type=_declared(usage.type)) for usage in usages]


class _Positions(VariablesInAllowedPositionRule):
    """A variable may stand in a loosened field if it may stand in the declared one."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(_DeclaredUsages(context))  # type: ignore[arg-type]


class LooseRows(SchemaExtension):
    """Validates variables in the fields of rows."""

    def on_operation(self) -> Iterator[None]:
        rules = self.execution_context.validation_rules
        self.execution_context.validation_rules = tuple(
            _Positions if rule is VariablesInAllowedPositionRule else rule for rule in rules
        )
        yield
