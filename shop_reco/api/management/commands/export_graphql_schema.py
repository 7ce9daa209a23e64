"""Write schema.graphql and its reference, or say that they are out of date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop_reco.api.reference import reference
from shop_reco.api.schema import schema


class Command(BaseCommand):
    help = "Write the GraphQL schema to schema.graphql, its reference to docs; --check only compares."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        texts = {Path("schema.graphql"): schema.as_str() + "\n", Path("docs/reference.md"): reference(schema)}
        for path, text in texts.items():
            if not options["check"]:
                path.write_text(text)
            elif not path.exists() or path.read_text() != text:
                raise CommandError(f"{path} is out of date; run manage.py export_graphql_schema")
