"""Tags of a product, the strings of its list ``attributes.tags``: read in Python and by the databases, alike.

They are read where they stand: a table of their own would be quicker for a seldom tag, and would part from them with
the first write that goes round the services.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import BooleanField, Func, JSONField

MOST_TAGS = 50
"""Entries of a product's list that count; of what a shop writes there none may fill the memory."""
LONGEST_TAG = 64


def counts(tag: Any) -> bool:
    return isinstance(tag, str) and 0 < len(tag) <= LONGEST_TAG


def tags_in(written: Any) -> list[str]:
    """The tags in what a shop wrote there, as they are written, each once."""
    return list(dict.fromkeys(filter(counts, written[:MOST_TAGS]))) if isinstance(written, list) else []


class WrittenTags(Func):
    """``attributes.tags`` where it is a list, else null: a text that reads like a list is none."""

    output_field = JSONField()

    def __init__(self) -> None:
        super().__init__("attributes")

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = (
            "CASE WHEN json_type(%(expressions)s, '$.tags') = 'array' THEN json_extract(%(expressions)s, '$.tags') END"
        )
        return self.as_sql(compiler, connection, template=template)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "CASE WHEN jsonb_typeof(%(expressions)s -> 'tags') = 'array' THEN %(expressions)s -> 'tags' END"
        return self.as_sql(compiler, connection, template=template)


class HasAnyTag(Func):
    """Whether ``tags_in`` of a product has any of these, to the letter; never null."""

    output_field = BooleanField()

    def __init__(self, *tags: str) -> None:
        super().__init__("attributes")
        self.tags = tags

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # its keys are whole numbers in a list alone
        template = (
            "EXISTS (SELECT 1 FROM json_each(%(expressions)s, '$.tags') WHERE value IN (%(places)s)"
            " AND type = 'text' AND typeof(key) = 'integer' AND key < %(most)s)"
        )
        wanted = self._wanted()
        places = ", ".join(["%s"] * len(wanted))
        sql, _ = self.as_sql(compiler, connection, template=template, places=places, most=MOST_TAGS)
        return sql, wanted

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # ?| alone looks at names of an object, too, and at every entry of a list
        template = (
            "COALESCE(%(expressions)s -> 'tags' ?| %%s AND jsonb_typeof(%(expressions)s -> 'tags') = 'array'"
            " AND jsonb_path_query_array(%(expressions)s -> 'tags', '$[0 to %(last)s]') ?| %%s, FALSE)"
        )
        wanted = list(self._wanted())
        sql, _ = self.as_sql(compiler, connection, template=template, last=MOST_TAGS - 1)
        return sql, (wanted, wanted)

    def _wanted(self) -> Collection[str]:
        """Raises EmptyResultSet where none of them could be a tag."""
        wanted = tuple(filter(counts, self.tags))
        if not wanted:
            raise EmptyResultSet
        return wanted
