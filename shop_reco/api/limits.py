"""How much one document may ask for."""

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

from .errors import ApiError

DEPTH, ALIASES, TOKENS, DOCUMENT_BYTES = 8, 15, 1000, 15_000


class Size(NamedTuple):
    """Nested fields and aliases of a selection, with its fragments spread out."""

    depth: int = 0
    aliases: int = 0


class DocumentLimits(ValidationRule):
    """Refuse documents that are too deep or have too many aliases.

    Each fragment is measured once: strawberry's own limiters walk it once a spread, which thirty
    fragments that spread the next one twice turn into hours.
    """

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        nodes = context.document.definitions
        self._fragments = {node.name.value: node for node in nodes if isinstance(node, FragmentDefinitionNode)}
        self._measured: dict[str, Size] = {}
        sizes = [self._measure(node.selection_set) for node in nodes if isinstance(node, OperationDefinitionNode)]
        if any(size.depth > DEPTH for size in sizes):
            context.report_error(ApiError("DEPTH_LIMIT", f"the document is more than {DEPTH} fields deep"))
        if sum(size.aliases for size in sizes) > ALIASES:
            context.report_error(ApiError("ALIAS_LIMIT", f"the document has more than {ALIASES} aliases"))

    def _measure(self, selected: SelectionSetNode | None) -> Size:
        depth = aliases = 0
        for node in selected.selections if selected else ():
            if isinstance(node, FragmentSpreadNode):
                inner = self._fragment(node.name.value)
            else:
                inner = self._measure(node.selection_set)  # type: ignore[attr-defined]
            if isinstance(node, FieldNode):
                # Introspection is as deep as the type system, and no data is behind it.
                deep = 0 if node.name.value.startswith("__") else inner.depth + 1
                inner = Size(deep, inner.aliases + (node.alias is not None))
            depth, aliases = max(depth, inner.depth), aliases + inner.aliases
        return Size(depth, aliases)

    def _fragment(self, name: str) -> Size:
        if name not in self._measured:
            self._measured[name] = Size()  # a cycle ends here; another rule refuses it
            if name in self._fragments:
                self._measured[name] = self._measure(self._fragments[name].selection_set)
        return self._measured[name]
