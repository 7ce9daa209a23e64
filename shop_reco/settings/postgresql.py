"""PostgreSQL as each kind of process needs it: who waits how long, and who keeps how many connections."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .environment import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Seconds that a statement may take, that it may wait for a lock, and that a transaction may do nothing; 0: any."""

    statement: float
    lock: float
    idle: float


ROLES: Mapping[str, Limits] = {
    "web": Limits(statement=5, lock=2, idle=10),  # a shopper waits
    "worker": Limits(statement=600, lock=10, idle=60),
    "beat": Limits(statement=30, lock=5, idle=30),
    "training": Limits(statement=3600, lock=30, idle=60),  # one that is frozen gives back its locks
    "command": Limits(statement=0, lock=30, idle=600),  # imports: whoever started one watches it
    "migrate": Limits(statement=0, lock=2, idle=0),  # what waits for a lock has all others wait behind it
}
BEYOND = 3.0
"""Seconds after its limit in which the server may still say that it ended a statement."""
COMMANDS = {
    "migrate": "migrate",
    "shop_reco_migrate": "migrate",
    "fit_run": "training",
    "fit_segments": "training",
    "runserver": "web",
}


def role_of(argv: Sequence[str]) -> str:
    """Which kind of process it is, by how it was started; what is not known is a web process, with its short limits."""
    program, words = Path(argv[0] if argv else ""), list(argv[1:])
    name = program.parent.name if program.name == "__main__.py" else program.name
    if name == "celery":
        return "beat" if "beat" in words else "worker"
    if name in ("manage.py", "django", "django-admin"):
        return COMMANDS.get(words[0], "command") if words else "command"
    return "web"


def for_this_process(database: dict[str, Any], env: Environment) -> dict[str, Any]:
    """The database with the limits and the connections of this process; another one than PostgreSQL stays as it is.

    Limits and name are part of how a session starts, so that no statement runs without them.
    """
    if database["ENGINE"] != "django.db.backends.postgresql":
        return {"CONN_MAX_AGE": 60, **database}
    role = env.one_of("DB_ROLE", ROLES, default=role_of(sys.argv))
    usual = ROLES[role]
    if role == "web":
        usual = Limits(
            statement=env.float("WEB_STATEMENT_SECONDS", default=usual.statement),
            lock=env.float("WEB_LOCK_SECONDS", default=usual.lock),
            idle=env.float("WEB_IDLE_SECONDS", default=usual.idle),
        )
    limits = {
        "statement_timeout": env.float("DB_STATEMENT_SECONDS", default=usual.statement),
        "lock_timeout": env.float("DB_LOCK_SECONDS", default=usual.lock),
        "idle_in_transaction_session_timeout": env.float("DB_IDLE_SECONDS", default=usual.idle),
    }
    given = database.get("OPTIONS", {})
    started = [f"-c {name}={round(1000 * seconds)}" for name, seconds in limits.items()]
    options: dict[str, Any] = {
        "application_name": f"shop-reco {role}",
        "connect_timeout": 5,
        **given,
        "options": " ".join([*started, given.get("options", "")]).strip(),  # of two that say the same, the later counts
    }
    most = env.int("DB_POOL_MAX", default=8)
    if role != "web" or most == 0:
        found = {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True, **database, "OPTIONS": options}
        return _patient(found, limits) if role == "web" else found
    options["pool"] = {
        "min_size": min(env.int("DB_POOL_MIN", default=1), most),
        "max_size": most,
        "timeout": env.float("DB_POOL_SECONDS", default=3.0),
    }
    return _patient({"CONN_HEALTH_CHECKS": True, **database, "CONN_MAX_AGE": 0, "OPTIONS": options}, limits)


def _patient(database: dict[str, Any], limits: Mapping[str, float]) -> dict[str, Any]:
    """For a process that somebody waits for: a server that stands still, and ends nothing by itself, is given up."""
    if not limits["statement_timeout"]:
        return database
    patience = limits["statement_timeout"] + BEYOND
    return {**database, "ENGINE": "shop_reco.patient", "OPTIONS": {**database["OPTIONS"], "patience": patience}}
