from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError

from shop_reco.webhooks import following


class Command(BaseCommand):
    help = "Bring the products of a django-oscar in the same project into the catalogue; safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        if not apps.is_installed("oscar"):
            raise CommandError("django-oscar is not among INSTALLED_APPS")
        models: Any = apps
        products = models.get_model("catalogue", "Product").objects.order_by("pk")
        stored = rejected = 0
        for children in (False, True):  # parents first
            wanted = products.filter(structure="child") if children else products.exclude(structure="child")
            for outcome in following.follow_all(wanted.iterator(chunk_size=500)):
                stored += not outcome.code
                rejected += bool(outcome.code)
                if outcome.code:
                    self.stderr.write(f"{outcome.sku}: {outcome.field} {outcome.message}")
        self.stdout.write(f"{stored} products, {rejected} refused")
