"""The child process of a training run; a worker starts it."""

from __future__ import annotations

import sys
import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from shop_reco.recommendations.training.running import fit_as_child


class Command(BaseCommand):
    help = "Do the work of a claimed training run; workers call it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", type=uuid.UUID)
        parser.add_argument("owner", type=uuid.UUID)

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(fit_as_child(public_id=options["run"], owner=options["owner"]))
