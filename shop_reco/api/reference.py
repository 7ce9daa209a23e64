"""The reference of the API as a page to read, made from the schema."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import strawberry
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, get_named_type

HEAD = """# Reference of the GraphQL API

Made from the schema by `manage.py export_graphql_schema`; how to ask is in [api.md](api.md). `!` means never null.
"""
ROOTS = (("Query", "Queries"), ("Mutation", "Mutations"))


def reference(schema: strawberry.Schema) -> str:
    """Markdown: every query and mutation with its arguments, then every type and input, then the enums."""
    types = schema._schema.type_map
    lines = [HEAD]
    for name, title in ROOTS:
        lines += [f"## {title}", ""]
        fields: dict[str, Any] = types[name].fields  # type: ignore[attr-defined]
        for field_name, field in sorted(fields.items()):
            lines += _operation(field_name, field)
    known = [types[name] for name in sorted(types) if not name.startswith("__") and name not in dict(ROOTS)]
    lines += _section("Types", (each for each in known if isinstance(each, GraphQLObjectType | GraphQLInterfaceType)))
    lines += _section("Inputs", (each for each in known if isinstance(each, GraphQLInputObjectType)))
    lines += ["## Enums", ""]
    for each in known:
        if isinstance(each, GraphQLEnumType):
            lines += [
                f"### {each.name}",
                "",
                f"{each.description} {', '.join(f'`{name}`' for name in each.values)}",
                "",
            ]
    return "\n".join(lines).rstrip() + "\n"


def _operation(name: str, field: Any) -> Iterator[str]:
    yield from (f"### {name}", "", f"{field.description} Gives {_type(field.type)}.", "")
    yield from _table("argument", field.args)


def _section(title: str, types: Iterable[Any]) -> Iterator[str]:
    yield from (f"## {title}", "")
    for each in types:
        yield from (f"### {each.name}", "", each.description, "")
        yield from _table("field", each.fields)


def _table(what: str, parts: dict[str, Any]) -> Iterator[str]:
    if parts:
        yield from (f"| {what} | type | |", "| --- | --- | --- |")
        yield from (f"| `{name}` | {_type(part.type)} | {part.description} |" for name, part in parts.items())
        yield ""


def _type(type_: Any) -> str:
    """Its name with the marks of lists and nulls, linked where there is something to read."""
    named = get_named_type(type_)
    whole = str(type_)
    linked = isinstance(named, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType | GraphQLEnumType)
    name = f"[{named.name}](#{named.name.lower()})" if linked else named.name
    return whole.replace("[", "\\[").replace("]", "\\]").replace(named.name, name)
