from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop_reco.privacy.ledger import ledger_path
from shop_reco.privacy.services import replay_erasures


class Command(BaseCommand):
    help = "After a restore: erase again whoever was erased since the backup, by the ledger of erasures."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ledger", type=Path, nargs="?", help="its file, if not the one in use")

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["ledger"] or ledger_path()
        if not path.is_file():
            raise CommandError(f"there is no ledger {path}: nobody was erased yet, or it lies elsewhere; give its path")
        done = replay_erasures(path=path)
        self.stdout.write(
            f"{done['keys']} keys and {done['receipts']} receipts learnt, {done['erased']} shoppers erased again"
        )
