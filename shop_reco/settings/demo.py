"""The embedded default: everything under one folder, no service to start."""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path

from .base import *
from .base import BASE_DIR, env, file_system_broker, sqlite_database

DATA_DIR = Path(env.str("DEMO_DIR", default=str(BASE_DIR / "var" / "demo")))
DATA_DIR.mkdir(parents=True, exist_ok=True)


def _own_secret(path: Path) -> str:
    """Made once for this copy of the demo; two processes starting at once agree on the one that was first."""
    if not path.exists():
        draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text()


DEBUG = True
SECRET_KEY = _own_secret(DATA_DIR / "secret-key")
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", "testserver"]
DATABASES = {"default": sqlite_database(DATA_DIR / "db.sqlite3")}
CELERY_BROKER_URL = "filesystem://"
CELERY_BROKER_TRANSPORT_OPTIONS = file_system_broker(DATA_DIR / "broker")
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
SHOP_RECO = {
    "ARTIFACTS_ROOT": DATA_DIR / "artifacts",
    "STAFF_SECOND_FACTOR": "offered",
    "CONTROL_SHARE": 0.0,  # whoever looks around must not happen to see no personal list
    "DEMO_SWITCHER": env.bool("DEMO_SWITCHER", default=True),
    "RECOMMENDERS": {  # where the searches start, and a shorter training: a first look at the shop must not wait
        "content_mlp": {"n_epochs": 2},
        "item_cf": {
            "activity": 0.5,
            "source_exponent": 0.5,
            "target_exponent": 0.3,
            "half_life": 180.0,
            "history_half_life": 60.0,
            "spectral_weight": 0.0,
            "n_targets": 400,
        },
        "user_cf": {
            "n_neighbours": 100,
            "popularity_exponent": 0.0,
            "target_exponent": 0.3,
            "activity": 0.0,
            "half_life": 120.0,
            "history_half_life": 120.0,
        },
    },
}
