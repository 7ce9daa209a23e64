"""docs/settings.md holds every setting with its default; what is set wrong is told by name."""

from __future__ import annotations

import ast
import json
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "settings.md"
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "shop_reco.settings.production",
    "SECRET_KEY": secrets.token_urlsafe(48),
    "ALLOWED_HOSTS": "shop.example.com",
    "DATABASE_URL": "postgres://reco:canary@127.0.0.1:1/reco",
    "BROKER_URL": "redis://127.0.0.1:1/0",
}


def rows() -> dict[str, str]:
    """The table of variables: the cell of the default by name."""
    return dict(re.findall(r"^\| `([A-Z_]+)` \| (.*?) \| ", PAGE.read_text().split("\n## SHOP_RECO")[0], re.MULTILINE))


def read_in_code() -> dict[str, set[str]]:
    """Variables that the source reads or sets, each with the defaults that are written there."""
    found: dict[str, set[str]] = {}
    for path in [*(ROOT / "shop_reco").rglob("*.py"), ROOT / "manage.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and node.args and _of_the_environment(node.func):
                name = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
                if isinstance(name, str) and re.fullmatch(r"[A-Z][A-Z_]+", name):
                    given = [each.value for each in node.keywords if each.arg == "default"] or node.args[1:2]
                    told = [_told(each.value) for each in given if isinstance(each, ast.Constant)]
                    found.setdefault(name, set()).update(told)
            elif isinstance(node, ast.Compare) and ast.unparse(node.comparators[0]) == "env":
                found.setdefault(ast.literal_eval(node.left), set())
    return found


def _of_the_environment(function: ast.expr) -> bool:
    text = ast.unparse(function)
    return text == "env" or text.startswith(("env.", "os.environ."))


def _told(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def read_in_compose() -> dict[str, set[str]]:
    text = (ROOT / "docker-compose.yml").read_text()
    given = re.findall(r"\$\{([A-Z_]+):-(.*?)\}", text)
    found: dict[str, set[str]] = {name: set() if "$" in default else {default} for name, default in given}
    found |= {name: set() for name in re.findall(r"\$\{([A-Z_]+):\?", text)}
    ours = [service for service in yaml.safe_load(text)["services"].values() if "build" in service]
    for service in ours:
        for name, value in service["environment"].items():
            found.setdefault(name, set() if "$" in value or "://" in value else {value})
    return found


def read_in_example() -> dict[str, set[str]]:
    return {
        name: set() for name in re.findall(r"^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    }


@pytest.mark.parametrize("read", [read_in_code, read_in_compose, read_in_example])
def test_each_variable_has_its_row_with_its_default(read):
    table = rows()
    for name, defaults in read().items():
        assert name in table, f"add to the table in docs/settings.md: | `{name}` | ... | what it means |"
        for default in defaults:
            # docker-compose.yml leaves to the settings what nobody set
            shown = "empty" if default == "" else f"`{default}`"
            fits = shown in table[name] or (default == "" and "`" not in table[name]) or table[name] == "the role's"
            assert fits, f"docs/settings.md gives {name} the default {table[name]}, but it is {default!r}"


def test_no_row_tells_of_what_nobody_reads():
    assert set(rows()) <= {*read_in_code(), *read_in_compose(), *read_in_example()}


def test_the_table_of_shop_reco_is_what_its_source_says():
    done = subprocess.run([sys.executable, "scripts/settings_table.py", "--check"], cwd=ROOT, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_every_number_has_a_unit():
    table = PAGE.read_text().split("\n## SHOP_RECO")[1]
    numbers = re.findall(r"^\| `([A-Z_]+)` \| `(?:int|float)[^`]*` \| `[^`]*` \| (.*?) \|", table, re.MULTILINE)
    assert len(numbers) > 50
    without = [name for name, unit in numbers if not unit]
    assert without == [], 'have the docstring in shop_reco/conf.py begin with what is counted, or say "in seconds"'


def started(code: str, **more: str | None) -> subprocess.CompletedProcess[str]:
    """A process with the settings of production, and nothing of the environment of the tests."""
    given = {"PATH": os.environ["PATH"], **PRODUCTION, **more}
    environment = {name: value for name, value in given.items() if value is not None}
    command = [sys.executable, *code.split()] if code.startswith("manage.py") else [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


def test_a_deployment_is_checked_without_a_warning():
    done = started("manage.py check --deploy --fail-level WARNING")
    assert (done.returncode, done.stdout.strip()) == (0, "System check identified no issues (0 silenced)."), done.stderr


def test_the_check_would_tell_of_a_weak_secret():
    done = started("manage.py check --deploy --fail-level WARNING", SECRET_KEY="short")
    assert done.returncode != 0
    assert "SECRET_KEY" in done.stderr


@pytest.mark.parametrize("name", ["SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "BROKER_URL"])
@pytest.mark.parametrize(("given", "told"), [(None, "not set"), ("", "empty")])
def test_what_is_needed_and_missing_is_told_by_name_with_what_to_write(name, given, told):
    done = started("import django; django.setup()", **{name: given})
    last = done.stderr.strip().splitlines()[-1]
    assert f"{name} is {told}. Set it in the environment or in the file .env, like so: " in last


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("BEHIND_PROXY", "canary", "true or false"),
        ("DB_POOL_MAX", "canary", "a whole number"),
        ("LOG_LEVEL", "canary", "one of DEBUG, INFO"),
        ("DATABASE_URL", "canary", "the address of a database"),
        ("DATABASE_URL", "postgress://reco:canary@localhost/reco", "the address of a database"),
        ("DATABASE_URL", "postgres://reco:canary@ry@localhost:port/reco", "the address of a database"),
        ("BROKER_URL", "canary:6379", "an address that begins with redis://"),
        ("REDIS_URL", "canary:6379", "an address that begins with redis://"),
        ("KAFKA_OPTIONS", "{canary}", "JSON"),
        ("SHOP_RECO_RETENTION_DAYS", "canary", "a whole number"),
        ("SHOP_RECO_RECOMMENDERS", "canary", "JSON"),
        ("SHOP_RECO_INTROSPECTION", "canary", "true or false"),
    ],
)
def test_what_is_set_wrong_is_told_by_name_and_never_repeated(name, value, told):
    done = started("import django; django.setup()", DB_ROLE="web", **{name: value})
    assert done.returncode != 0
    assert f"{name} is set, but not to {told}" in done.stderr
    assert "canary" not in done.stderr + done.stdout


def reco(**given: str) -> dict[str, str]:
    """How production reads each key of SHOP_RECO."""
    code = (
        "import json, dataclasses, django; django.setup()\nfrom shop_reco.conf import reco_settings\n"
        "print(json.dumps({key: repr(value) for key, value in dataclasses.asdict(reco_settings()).items()}))"
    )
    done = started(code, **given)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_every_key_of_shop_reco_has_a_variable_of_its_own():
    given = {
        "RETENTION_DAYS": "200", "CONTROL_SHARE": "0.1", "PERSISTED_ONLY": "yes", "PRODUCT_URL": "/p/{sku}",
        "TRAINING_MEMORY_MB": "4096", "SPARK_ROOT": "/shared", "SPARK_OPTIONS": '{"spark.executor.memory": "8g"}',
        "KAFKA_CONSENT": '["training"]', "INTROSPECTION": "false", "CANDIDATES": "",
    }  # fmt: skip
    told = reco(**{f"SHOP_RECO_{key}": value for key, value in given.items()})
    assert {key: told[key] for key in given} == {
        "RETENTION_DAYS": "200", "CONTROL_SHARE": "0.1", "PERSISTED_ONLY": "True", "PRODUCT_URL": "'/p/{sku}'",
        "TRAINING_MEMORY_MB": "4096", "SPARK_ROOT": "PosixPath('/shared')",
        "SPARK_OPTIONS": "{'spark.executor.memory': '8g'}", "KAFKA_CONSENT": "['training']", "INTROSPECTION": "False",
        "CANDIDATES": "300",
    }  # fmt: skip


def test_a_variable_of_no_key_is_told():
    done = started("import django; django.setup()", SHOP_RECO_RETENTION_DAY="200")
    assert "SHOP_RECO_RETENTION_DAY is set, but SHOP_RECO has no key RETENTION_DAY" in done.stderr


@pytest.mark.parametrize(("given", "trusted"), [("true", "1"), ("false", "0"), (None, "0")])
def test_behind_a_proxy_each_visitor_has_the_address_that_it_tells(given, trusted):
    assert reco(BEHIND_PROXY=given or "")["RATE_TRUSTED"] == trusted


def test_what_is_set_to_nothing_has_its_default():
    done = started(
        "import django; django.setup()\nfrom django.conf import settings\n"
        "print(settings.SECURE_SSL_REDIRECT, settings.LOGGING['root']['level'])",
        SECURE_SSL_REDIRECT="", LOG_LEVEL="", DB_POOL_MAX="",
    )  # fmt: skip
    assert done.stdout.split() == ["True", "INFO"], done.stderr


def test_a_request_of_production_leaves_one_json_line_with_its_id_and_no_secret(tmp_path):
    done = started(
        "import django; django.setup()\nfrom django.test import Client\n"
        "answer = Client(SERVER_NAME='shop.example.com').get('/health/ready', secure=True)\n"
        "print(answer.status_code, answer['X-Request-ID'])",
        STATIC_ROOT=str(tmp_path),
    )
    status, name = done.stdout.split()
    lines = [json.loads(line) for line in done.stderr.splitlines()]  # each of them is one record
    assert status == "503"
    told = [line for line in lines if line["logger"] != "psycopg.pool"]  # whose threads go on between requests
    assert {line["request_id"] for line in told} == {name}
    assert all({"event", "level", "timestamp", "logger"} <= set(line) for line in lines)
    assert "canary" not in done.stderr
    assert PRODUCTION["SECRET_KEY"] not in done.stderr
