"""How many objects a document may lead to, told before anything is resolved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)
from strawberry.extensions import SchemaExtension

from shop_reco.api.errors import ApiError
from shop_reco.conf import reco_settings

DEFINITION = "strawberry-definition"
MOST, ROWS, PAGES, GIVEN, WORK = "most", "rows", "pages", "given", "work"
"""Metadata of a field: how long its list gets; the argument that is a list of rows, each of which costs an object;
the argument that asks for several pages; the argument that is as long as the page, unless the page is shorter; how many
objects the field's own work is worth."""
USUAL_LIST = 10
A_LIST, AN_ITEM, A_PAST_EVENT = 300, 13, 4
A_SEARCH, A_FILTER, AN_EXPLANATION = 1500, 500, 2300
"""What work is worth that comes before an object is handed out, so that an operation that is accepted takes a tenth of
a second of a processor or so: an object is about a twenty-fifth of a millisecond."""


def most(n: int) -> dict[str, int]:
    """The metadata of a field whose list has ``n`` objects at most, or seldom more."""
    return {MOST: n}


def rows(argument: str) -> dict[str, str]:
    """The metadata of a field that does something for each row of an argument."""
    return {ROWS: argument}


def pages(argument: str) -> dict[str, str]:
    """The metadata of a field that gives a page for each row of an argument, as long as the row's ``first``."""
    return {PAGES: argument}


def given(argument: str) -> dict[str, str]:
    """The metadata of a field whose page is as long as an argument."""
    return {GIVEN: argument}


@dataclass(frozen=True)
class Work:
    """What a field's own work is worth in objects: always, for each item of its page, and for given arguments."""

    always: int = 0
    each: int = 0
    given: Mapping[str, int] = field(default_factory=dict)


def work(always: int = 0, *, each: int = 0, **given: int) -> dict[str, Work]:
    """The metadata of a field that works before it hands out; ``given`` are arguments that make more of it."""
    return {WORK: Work(always, each, given)}


class CostLimit(SchemaExtension):
    """Refuses an operation that could lead to more objects than its sender may ask for, and publishes what it costs."""

    _published: Mapping[str, int] | None = None

    def on_execute(self) -> Iterator[None]:
        execution, context = self.execution_context, self.execution_context.context
        definitions = execution.graphql_document.definitions  # type: ignore[union-attr]
        operation = next(each for each in definitions if isinstance(each, OperationDefinitionNode))
        fragments = {each.name.value: each for each in definitions if isinstance(each, FragmentDefinitionNode)}
        schema: GraphQLSchema = execution.schema._schema
        objects = Cost(schema, fragments, _variables(operation, execution.variables or {})).of(operation)
        most = context.most_objects()
        self._published = {"objects": objects, "most": most}
        problem = _too_many(objects, most) if objects > most else context.charge(objects)
        if problem is not None:
            execution.result = ExecutionResult(None, [problem])
        yield

    def get_results(self) -> dict[str, Any]:
        return {} if self._published is None else {"cost": self._published}


def _too_many(objects: int, most: int) -> ApiError:
    return ApiError(
        "COST_LIMIT",
        f"the document may lead to {objects} objects, {most} are allowed; ask for shorter lists or fewer fields",
    )


@dataclass
class Cost:
    """Counts the objects that a selection can lead to: every list as long as it can get, every field included."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: Mapping[str, Any]
    _known: dict[tuple[str, int | None], int] = field(default_factory=dict)

    def of(self, operation: OperationDefinitionNode) -> int:
        root: Any = self.schema.get_root_type(operation.operation)
        return self._objects(operation.selection_set, root, None)

    def _objects(self, selected: SelectionSetNode, type_: Any, page: int | None) -> int:
        return sum(self._node(node, type_, page) for node in selected.selections)

    def _node(self, node: Any, type_: Any, page: int | None) -> int:
        if isinstance(node, FieldNode):
            return self._field(node, type_, page)
        if isinstance(node, FragmentSpreadNode):
            key = (node.name.value, page)
            if key not in self._known:
                fragment = self.fragments[node.name.value]
                self._known[key] = self._objects(fragment.selection_set, self._named(fragment, type_), page)
            return self._known[key]
        return self._objects(node.selection_set, self._named(node, type_), page)

    def _field(self, node: FieldNode, type_: Any, page: int | None) -> int:
        known = getattr(type_, "fields", {}).get(node.name.value)
        if known is None:  # introspection, which costs nothing
            return 0
        declared = getattr(known.extensions.get(DEFINITION), "metadata", None) or {}
        worked: Work = declared.get(WORK, Work())
        own = worked.always + sum(n for name, n in worked.given.items() if self._is_given(node, name))
        if PAGES in declared:
            pages, of = self._pages(node, declared[PAGES]), get_named_type(known.type)
            return sum(own + worked.each * n + 1 + self._objects(_selected(node), of, n) for n in pages)
        rows = self._length(node, declared[ROWS]) if ROWS in declared else 0
        if node.selection_set is None:
            return own + rows
        inner = self._page(node, known) if "first" in known.args else None
        if GIVEN in declared:
            given = _bounded(self._length(node, declared[GIVEN]))
            inner = given if self._argument(node, "first") is None else min(given, self._page(node, known))
        own += worked.each * (inner or 0)
        each = 1 + self._objects(node.selection_set, get_named_type(known.type), inner)
        if not _is_list(known.type):
            return own + rows + each
        if MOST in declared:
            return own + rows + declared[MOST] * each
        return own + rows + (next((n for n in (rows or None, page, inner) if n is not None), USUAL_LIST)) * each

    def _is_given(self, node: FieldNode, name: str) -> bool:
        value = self._argument(node, name)
        return bool(getattr(value, "value", value))

    def _named(self, node: Any, type_: Any) -> Any:
        condition = node.type_condition
        return type_ if condition is None else self.schema.type_map[condition.name.value]

    def _page(self, node: FieldNode, known: Any) -> int:
        value = self._argument(node, "first")
        return _bounded(known.args["first"].default_value if value is None else value)

    def _pages(self, node: FieldNode, name: str) -> list[int]:
        value = self._argument(node, name)
        rows = value.values if isinstance(value, ListValueNode) else value
        return [self._first_in(row) for row in (rows if isinstance(rows, list | tuple) else [rows])]

    def _first_in(self, row: Any) -> int:
        if isinstance(row, VariableNode):
            row = self.variables.get(row.name.value)
        if isinstance(row, ObjectValueNode):
            row = {each.name.value: each.value for each in row.fields}
        first = row.get("first", USUAL_LIST) if isinstance(row, Mapping) else USUAL_LIST
        return _bounded(self.variables.get(first.name.value) if isinstance(first, VariableNode) else first)

    def _length(self, node: FieldNode, name: str) -> int:
        value = self._argument(node, name)
        rows = value.values if isinstance(value, ListValueNode) else value
        return len(rows) if isinstance(rows, list | tuple) else 1

    def _argument(self, node: FieldNode, name: str) -> Any:
        for argument in node.arguments or ():
            if argument.name.value == name:
                value = argument.value
                return self.variables.get(value.name.value) if isinstance(value, VariableNode) else value
        return None


def _variables(operation: OperationDefinitionNode, given: Mapping[str, Any]) -> dict[str, Any]:
    defaults = {each.variable.name.value: each.default_value for each in operation.variable_definitions or ()}
    return {**defaults, **given}


def _bounded(first: Any) -> int:
    """A page as long as it may be at most; one out of bounds is refused where it is read."""
    number = int(first.value) if isinstance(first, IntValueNode) else first
    return max(0, min(number, reco_settings().PAGE_ITEMS)) if isinstance(number, int) else USUAL_LIST


def _selected(node: FieldNode) -> SelectionSetNode:
    return node.selection_set or SelectionSetNode(selections=())


def _is_list(type_: Any) -> bool:
    return isinstance(type_.of_type if isinstance(type_, GraphQLNonNull) else type_, GraphQLList)
