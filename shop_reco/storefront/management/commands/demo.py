"""The whole shop on this machine: import, portraits, worker, beat, training, web."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop_reco.portraits.segmenting import fit_segments
from shop_reco.portraits.services import refresh_dirty
from shop_reco.recommendations.selectors import live_versions, unfinished_runs
from shop_reco.recommendations.services import KINDS, request_training
from shop_reco.storefront.demo.importer import import_demo, imported
from shop_reco.storefront.demo.supervisor import Stopped, Supervisor, answers, own_file, port_is_free, python_module
from shop_reco.users.models import ApiKey
from shop_reco.users.services import issue_key

TOLD_EVERY = 200
"""Portraits after which it is said how many are drawn."""


class Command(BaseCommand):
    help = "Set up and run the demo shop."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--full", action="store_true", help="import all of the data")

    def handle(self, *args: Any, **options: Any) -> None:
        self.started, self.told = time.monotonic(), 0
        self.folder = Path(settings.DATABASES["default"]["NAME"]).parent
        port, full = options["port"], options["full"]
        if not port_is_free(port):
            raise CommandError(f"port {port} is taken; choose another one: make demo PORT={port + 1}")
        supervisor = Supervisor()
        try:
            self.run(supervisor, port, full)
        except Stopped:
            self.say("stopping")
        finally:
            supervisor.stop()

    def say(self, text: str) -> None:
        self.stdout.write(f"[{time.monotonic() - self.started:6.1f}s] {text}")
        self.stdout.flush()

    def drawn(self, done: int, n: int) -> None:
        if done - self.told >= TOLD_EVERY:
            self.told = done
            self.say(f"  {done} of {n} portraits")

    def run(self, supervisor: Supervisor, port: int, full: bool) -> None:
        call_command("migrate", verbosity=0)
        self.say("database is ready")
        if not imported(full=full):
            import_demo(full=full, say=self.say)
        refresh_dirty(progress=self.drawn)
        fit_segments()
        self.say("portraits are drawn")
        login, key = self.staff_login(), self.api_key()
        celery, level = ("celery", "--quiet", "-A", "shop_reco"), "--loglevel=WARNING"
        supervisor.start("worker", python_module(*celery, "worker", "--pool=solo", level))
        supervisor.start("beat", python_module(*celery, "beat", level, "--pidfile="))
        address = f"http://127.0.0.1:{port}/"
        web = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
        web += ["--workers", "1", "--blocking-threads", "4"]
        supervisor.start("web", python_module("granian", *web, "--no-access-log", "shop_reco.wsgi:application"))
        self.say(f"the shop opens at {address} while the recommenders train")
        self.train(supervisor)
        if not answers(port, within=30):
            raise CommandError("the web process does not answer; its messages are above")
        self.say("ready")
        for line in (
            f"  shop      {address}",
            f"  admin     {address}admin/   {login}",
            f"  GraphQL   {address}graphql/   key for X-Shopper: {key}",
            "  stop      Ctrl-C",
        ):
            self.stdout.write(line)
        self.stdout.flush()
        while True:
            time.sleep(1)
            for name in supervisor.tend():
                self.say(f"{name} ended and was started again")

    def train(self, supervisor: Supervisor) -> None:
        """Have every recommender trained by the worker, and tell how far it is."""
        live = {version.recommender_id for version in live_versions()}
        for kind in KINDS:
            if kind not in live:
                request_training(kind=kind)
        told = ""
        while runs := unfinished_runs():
            now = next((run for run in runs if run.state == "running"), None)
            text = (
                f"  training {now.recommender_id}: {now.phase} {now.progress:.0%}"
                if now
                else "  waiting for the worker"
            )
            if text != told:
                self.say(text)
                told = text
            time.sleep(2)
            supervisor.tend()

    def staff_login(self) -> str:
        """The demo's staff account; its password is made once and kept beside the database."""
        path = self.folder / "staff-password"
        users = get_user_model()._default_manager
        if not path.exists() or not users.filter(username="staff").exists():
            password = secrets.token_urlsafe(9)
            staff, _ = users.get_or_create(username="staff", defaults={"is_staff": True, "is_superuser": True})
            staff.set_password(password)
            staff.save()
            own_file(str(path), password)
        return f"staff / {path.read_text()}"

    def api_key(self) -> str:
        path = self.folder / "api-key"
        if not path.exists():
            own_file(str(path), issue_key(name="demo", scopes=ApiKey.Scope.values)[1])
        return path.read_text()
