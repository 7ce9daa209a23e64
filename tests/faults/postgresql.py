"""A database of its own on a PostgreSQL server, made for one shop and dropped with it."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent.parent.parent


def server() -> str:
    """The PostgreSQL that the tests may use; empty where none answers."""
    if named := os.environ.get("FAULTS_SERVER_URL"):
        return named
    told = subprocess.run([sys.executable, "scripts/services.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    for line in told.stdout.splitlines():
        name, _, value = line.removeprefix("export ").partition("=")
        if name == "TEST_DATABASE_URL":
            return value.strip("'\"")
    return ""


def created(server: str) -> str:
    """Make a database on the server of this URL; returns the URL of the new one."""
    name = f"faults_{uuid.uuid4().hex[:12]}"
    command(server, f"create database {name}")
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


def remake(server: str, name: str) -> None:
    """Make an empty database of this name on the server of this URL, whatever was there."""
    command(server, f"drop database if exists {name} with (force)")
    command(server, f"create database {name}")


def drop(database: str) -> None:
    parts = urlsplit(database)
    command(urlunsplit(parts._replace(path="/postgres")), f"drop database {parts.path[1:]} with (force)")


def rows(database: str, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    import psycopg

    with psycopg.connect(database) as connection:
        return connection.execute(sql, values or None).fetchall()


def command(url: str, sql: str) -> None:
    """Do one thing outside of any transaction."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql)
