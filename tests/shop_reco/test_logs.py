"""A log line says what happened and names nobody, whoever wrote it."""

from __future__ import annotations

import io
import json
import logging
import logging.config

import pytest
import structlog
from django.conf import settings

from shop_reco.logs import masked

CANARY = "canary"


@pytest.fixture
def lines():
    """The lines that the settings' own handler writes, parsed."""
    stream = io.StringIO()
    formatter = dict(settings.LOGGING["formatters"]["json"])
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter.pop("()")(**formatter))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)


def test_our_own_lines_keep_their_words_and_numbers(lines):
    structlog.get_logger("shop_reco.test").warning("slates_lost", n=3, error="DatabaseError")
    (line,) = lines()
    assert (line["event"], line["n"], line["error"], line["level"]) == ("slates_lost", 3, "DatabaseError", "warning")


def test_an_exception_is_told_by_type_and_place_with_its_causes(lines):
    secret = CANARY
    try:
        try:
            raise KeyError(secret)
        except KeyError as cause:
            raise ValueError(f"row {secret}") from cause
    except ValueError:
        structlog.get_logger("shop_reco.test").exception("broke")
        logging.getLogger("django.request").error("Internal: %s", secret, exc_info=True, extra={"status_code": 500})
    for line in lines():
        assert CANARY not in json.dumps(line)
        assert "builtins.KeyError" in line["exception"]
        assert "builtins.ValueError" in line["exception"]
        assert "test_logs.py" in line["exception"]
    assert lines()[1]["status"] == 500


def test_lines_of_other_packages_lose_their_values(lines):
    logging.getLogger("django.request").warning("Not Found: %s", f"/{CANARY}/")
    logging.getLogger("django.security.DisallowedHost").error(f"Invalid HTTP_HOST header: {CANARY} 100%")
    logging.getLogger("unheard").info("%(who)s", {"who": CANARY})
    logging.getLogger("strawberry.execution").error(ValueError(CANARY))
    assert CANARY not in json.dumps(lines())
    assert lines()[0]["event"] == "Not Found: %s"


def test_a_flood_that_is_refused_leaves_no_lines(lines):
    for status in (429, 404, 429):
        logging.getLogger("django.request").warning("%s: %s", "said", "/", extra={"status_code": status})
    assert [line["status"] for line in lines()] == [404]


def test_lines_of_celery_keep_its_own_values_alone(lines):
    context = {"name": "train_all", "id": "7", "exc": f"ValueError({CANARY})", "return_value": CANARY, "args": CANARY}
    logging.getLogger("celery.app.trace").error("Task %(name)s[%(id)s] raised: %(exc)s %(return_value)s", context)
    logging.getLogger("kombu").warning("lost %s because of %s", "redis", OSError(CANARY))
    assert [line["event"] for line in lines()] == [
        "Task train_all[7] raised: [withheld] [withheld]",
        "lost redis because of OSError",
    ]


@pytest.mark.parametrize(
    "text",
    ["canary.person@example.com", "+86 138 0013 8000", "0123456789ab.Zx8-_abcdefghijklmnopqrstu", "Bearer canary"],
)
def test_what_looks_personal_is_masked_in_any_text(lines, text):
    assert masked(f"before {text} after") == "before [withheld] after"
    structlog.get_logger("shop_reco.test").info("words", deep={"list": [f"x {text}"]})
    assert text not in json.dumps(lines())


@pytest.mark.parametrize(
    "address", ["redis://:canary@redis:6379/0", "postgres://reco:canary@db/reco", "amqp://u:canary@q//"]
)
def test_the_password_of_an_address_is_masked(lines, address):
    structlog.get_logger("shop_reco.test").info(f"cannot reach {address}", address=address)
    logging.getLogger("celery.worker").error("consumer: Cannot connect to %s", address)
    assert CANARY not in json.dumps(lines())
    assert "[withheld]@" in lines()[0]["address"]


@pytest.mark.parametrize("text", ["2026-11-25T02:45:00.123456+00:00", "a2c4 30000 items", "12.5 s", "v1.2.3"])
def test_times_and_figures_are_not(text):
    assert masked(text) == text


def test_statements_and_requests_go_nowhere_else():
    assert settings.LOGGING["loggers"]["django"]["handlers"] == []
    assert settings.LOGGING["loggers"]["django.db.backends"]["level"] == "INFO"
