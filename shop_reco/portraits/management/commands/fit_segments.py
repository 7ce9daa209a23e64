"""Finding groups of shoppers; a worker starts it each night."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import BaseCommand

from shop_reco.conf import reco_settings
from shop_reco.portraits.segmenting import fit_segments


class Command(BaseCommand):
    help = "Find groups of shoppers who buy alike, and use them from now on."

    def handle(self, *args: Any, **options: Any) -> None:
        os.nice(reco_settings().TRAINING_NICENESS)
        made = fit_segments()
        if made is None:
            self.stdout.write("no groups can be told apart: segments go by fixed rules")
        else:
            self.stdout.write(f"{len(made.content['sizes'])} groups among {made.n_shoppers} shoppers")
