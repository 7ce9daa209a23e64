"""What is handed out: the wheel and the compose file."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent


def test_the_wheel_carries_pages_static_files_and_migrations(tmp_path):
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "shop_reco/templates/shop_reco/home.html",
        "shop_reco/templates/shop_reco/graphql/home.graphql",
        "shop_reco/storefront/static/shop_reco/shop.js",
        "shop_reco/events/migrations/0001_initial.py",
        "reco_engine/recommenders/item_cf.py",
    } <= names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "var/"))]


def test_compose_starts_every_part_of_production():
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert {"web", "worker", "beat", "postgres", "redis"} <= services.keys()
    assert all("image" in service or "build" in service for service in services.values())
