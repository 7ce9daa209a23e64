"""Look at a deployment from all sides, and say what to do."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from typing import Any

from celery import _state
from django.core.management.base import BaseCommand, CommandParser

from shop_reco.monitoring.doctor import CHECKS, Finding, examine

SIGNS = {"ok": "ok", "warning": "WARNING", "failing": "FAILING", "skipped": "skipped"}


class Command(BaseCommand):
    help = "Check the database, broker, workers, models, schedule, roles and secrets; exits with 1 where one fails."
    requires_system_checks: list[str] = []  # they are one of its checks, and must not end it

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object for machines")

    def handle(self, *args: Any, **options: Any) -> None:
        if _state.default_app is None:  # a project of one's own has made its Celery by now
            import_module("shop_reco.celery")
        found: dict[str, Finding] = {}
        for name, finding in examine():
            found[name] = finding
            if not options["json"]:
                self._tell(name, finding)
        worst = next(
            (word for word in ("failing", "warning") if word in {each.verdict for each in found.values()}), "ok"
        )
        if options["json"]:
            checks = [
                {"check": name, "verdict": each.verdict, "found": each.found, "advice": each.advice}
                for name, each in found.items()
            ]
            self.stdout.write(json.dumps({"status": worst, "checks": checks}, indent=1))
        else:
            self._tell_sum(found)
        if worst == "failing":
            sys.exit(1)

    def _tell(self, name: str, finding: Finding) -> None:
        width = max(map(len, CHECKS))
        style = {"ok": self.style.SUCCESS, "warning": self.style.WARNING, "failing": self.style.ERROR}
        sign = f"{SIGNS[finding.verdict]:<8}"
        self.stdout.write(f"{name:<{width}}  {style.get(finding.verdict, str)(sign)}  {finding.found}")
        if finding.advice:
            self.stdout.write(f"{'':<{width}}  {'':<8}  -> {finding.advice}")

    def _tell_sum(self, found: dict[str, Finding]) -> None:
        n = {word: sum(each.verdict == word for each in found.values()) for word in SIGNS}
        told = ", ".join(f"{count} {word}" for word, count in n.items() if count)
        self.stdout.write(f"\n{len(found)} checks: {told}")
