"""How deep and wide a document is, told from its text alone."""

from __future__ import annotations

from typing import NamedTuple

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationContext,
    ValidationRule,
)

from shop_reco.api.errors import ApiError
from shop_reco.conf import reco_settings


class Size(NamedTuple):
    """Nested fields, aliases and outermost fields of a selection, with its fragments spread out."""

    depth: int = 0
    aliases: int = 0
    roots: int = 0


class DocumentLimits(ValidationRule):
    """Refuse documents that are too deep, have too many aliases or outermost fields, or more than one operation.

    Each fragment is measured once: strawberry's own limiters walk it once a spread, which thirty
    fragments that spread the next one twice turn into hours.
    """

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        nodes = context.document.definitions
        self._fragments = {node.name.value: node for node in nodes if isinstance(node, FragmentDefinitionNode)}
        self._measured: dict[str, Size] = {}
        operations = [node for node in nodes if isinstance(node, OperationDefinitionNode)]
        sizes = [self._measure(node.selection_set) for node in operations]
        for code, message in _told(len(operations), sizes):
            context.report_error(ApiError(code, message))

    def _measure(self, selected: SelectionSetNode | None) -> Size:
        depth = aliases = roots = 0
        for node in selected.selections if selected else ():
            if isinstance(node, FragmentSpreadNode):
                inner = self._fragment(node.name.value)
            else:
                inner = self._measure(node.selection_set)  # type: ignore[attr-defined]
            if isinstance(node, FieldNode):
                # Introspection is as deep as the type system, and no data is behind it.
                deep = 0 if node.name.value.startswith("__") else inner.depth + 1
                inner = Size(deep, inner.aliases + (node.alias is not None), 1)
            depth, aliases, roots = max(depth, inner.depth), aliases + inner.aliases, roots + inner.roots
        return Size(depth, aliases, roots)

    def _fragment(self, name: str) -> Size:
        if name not in self._measured:
            self._measured[name] = Size()  # a cycle ends here; another rule refuses it
            if name in self._fragments:
                self._measured[name] = self._measure(self._fragments[name].selection_set)
        return self._measured[name]


def _told(operations: int, sizes: list[Size]) -> list[tuple[str, str]]:
    reco = reco_settings()
    found = []
    if operations > 1:
        found.append(("OPERATION_LIMIT", f"the document has {operations} operations; send each in its own request"))
    if any(size.depth > reco.QUERY_DEPTH for size in sizes):
        found.append(
            ("DEPTH_LIMIT", f"the document is more than {reco.QUERY_DEPTH} fields deep; ask in several requests")
        )
    if sum(size.aliases for size in sizes) > reco.QUERY_ALIASES:
        found.append(
            ("ALIAS_LIMIT", f"the document has more than {reco.QUERY_ALIASES} aliases; ask in several requests")
        )
    if any(size.roots > reco.QUERY_ROOTS for size in sizes):
        found.append(
            ("ROOT_LIMIT", f"the document has more than {reco.QUERY_ROOTS} outermost fields; ask in several requests")
        )
    return found
