"""Which services the tests can use here: prints them as shell exports, and what is missing on stderr.

A service that its variable names is used as named; else the one at the standard local port, if it answers.
"""

from __future__ import annotations

import getpass
import os
import shlex
import sys
from collections.abc import Callable

from kombu import Connection

LOCAL_DATABASES = [
    f"postgres://{user}@127.0.0.1:5432/{name}"
    for user, name in (("postgres", "postgres"), (getpass.getuser(), "postgres"))
]


def database_answers(url: str) -> bool:
    import psycopg

    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.Error:
        return False
    return True


def broker_answers(url: str) -> bool:
    try:
        with Connection(url, connect_timeout=3) as connection:
            connection.ensure_connection(max_retries=1, timeout=3)
    except Exception:  # each transport raises errors of its own
        return False
    return True


SERVICES: dict[str, tuple[str, list[str], Callable[[str], bool]]] = {
    "TEST_DATABASE_URL": ("PostgreSQL", LOCAL_DATABASES, database_answers),
    "TEST_REDIS_URL": ("Redis", ["redis://127.0.0.1:6379/15"], broker_answers),
    "TEST_AMQP_URL": ("RabbitMQ", ["amqp://guest:guest@127.0.0.1:5672//"], broker_answers),
}


def main() -> None:
    for variable, (name, local, answers) in SERVICES.items():
        named = os.environ.get(variable)
        found = named or next(filter(answers, local), None)
        if found:
            print(f"export {variable}={shlex.quote(found)}")
        else:
            print(f"{name} does not answer here; {variable} may name one", file=sys.stderr)


if __name__ == "__main__":
    main()
