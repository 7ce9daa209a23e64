from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop_reco.privacy.receipts import broken_links, public_key
from shop_reco.privacy.verify import problems_of, told


class Command(BaseCommand):
    help = "Check the file of an erasure's receipt against this shop's key, or with --chain every receipt kept here."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, nargs="?")
        parser.add_argument("--chain", action="store_true", help="check that each receipt follows the one before")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["file"] is None and not options["chain"]:
            raise CommandError("name the file of a receipt, or give --chain")
        if options["file"] is not None:
            self._check(options["file"])
        if options["chain"]:
            if broken := broken_links():
                raise CommandError(f"the chain is broken at {', '.join(broken)}")
            self.stdout.write("every receipt follows the one before it")

    def _check(self, path: Path) -> None:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}") from None
        if problems := problems_of(content, key=public_key()):
            raise CommandError("not valid: " + "; ".join(problems))
        for line in told(content):
            self.stdout.write(line)
        self.stdout.write(self.style.SUCCESS("valid"))
