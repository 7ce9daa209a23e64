"""Import the demo shop."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from shop_reco.storefront.demo.importer import import_demo, imported


class Command(BaseCommand):
    help = "Import the Complete Journey data: the most recent months, or all of it with --full."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--full", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if imported(full=options["full"]):
            self.stdout.write("the demo shop is imported already")
            return
        done = import_demo(full=options["full"], say=self.stdout.write)
        self.stdout.write(f"imported: {done.report}")
