"""Write schema.graphql, or say that it is out of date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop_reco.api.schema import schema


class Command(BaseCommand):
    help = "Write the GraphQL schema to schema.graphql; --check only compares."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        path, text = Path("schema.graphql"), schema.as_str() + "\n"
        if not options["check"]:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            raise CommandError("schema.graphql is out of date; run manage.py export_graphql_schema")
