"""How a live shop begins: planted, or on SQLite as a copy of the one that this process planted the same way."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def environment_of(folder: Path, database: str, more: dict[str, str]) -> dict[str, str]:
    """What a process of the shop in that folder is started with."""
    return {
        **{name: value for name, value in os.environ.items() if name != "TEST_DATABASE_URL"},
        "DEMO_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
        **({"FAULTS_DATABASE_URL": database} if database else {}),
        **more,
    }


def plant(environment: dict[str, str]) -> str:
    """Fill an empty shop; returns a key to its API."""
    command = [sys.executable, "-m", "tests.faults.plant"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return str(json.loads(done.stdout.splitlines()[-1])["key"])


def copy(folder: Path, more: dict[str, str]) -> str:
    """Begin a shop on SQLite in the folder; returns a key to its API."""
    planted, key = _template(tuple(sorted(more.items())))
    shutil.copytree(planted, folder, dirs_exist_ok=True)
    return key


@cache
def _template(more: tuple[tuple[str, str], ...]) -> tuple[Path, str]:
    folder = Path(tempfile.mkdtemp(prefix="planted-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder, plant(environment_of(folder, "", dict(more)))
