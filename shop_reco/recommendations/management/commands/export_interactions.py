"""What a training would learn from, as Parquet files, for a look or for other tools."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from shop_reco.recommendations.training import export_interactions
from shop_reco.recommendations.training.exports import HOURS


class Command(BaseCommand):
    help = (
        "Write what a training would learn from now as Parquet files (user, item, timestamp, weight) below "
        f"SPARK_ROOT. They go after {HOURS} hours, or when somebody is erased. Who is found out is flagged."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        export = export_interactions(name=uuid.uuid4().hex, until=timezone.now())
        self.stdout.write(
            f"{export.n_interactions:,} interactions of {export.n_users:,} shoppers, {export.n_items:,} items:"
        )
        self.stdout.write(str(export.table))
