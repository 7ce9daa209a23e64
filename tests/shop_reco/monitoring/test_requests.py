"""Each request has a name, which its lines and its response share and which is no person's."""

from __future__ import annotations

import logging
import uuid

import pytest
import structlog

from tests.shop_reco.test_logs import lines  # noqa: F401  a fixture

PROXYS = "0af7651916cd43dd8448eb211c80319c"


def test_lines_of_a_request_and_its_response_carry_the_name_that_a_proxy_gave(db, client, lines):  # noqa: F811
    answer = client.get("/nowhere/", headers={"X-Request-ID": PROXYS})
    assert answer.status_code == 404
    assert answer["X-Request-ID"] == PROXYS
    (line,) = [line for line in lines() if line["logger"] == "django.request"]
    assert line["request_id"] == PROXYS


@pytest.mark.parametrize("given", ["canary", "4111111111111111", "4111-1111-1111-1111", PROXYS + "0", f"{PROXYS}\n"])
def test_what_might_name_somebody_is_replaced(client, given):
    told = client.get("/health/live", headers={"X-Request-ID": given})["X-Request-ID"]
    assert uuid.UUID(told).version == 4


def test_two_requests_have_two_names(client):
    first, second = (client.get("/health/live")["X-Request-ID"] for _ in range(2))
    assert first != second


def test_what_is_written_after_a_request_is_not_said_to_be_of_it(client, lines):  # noqa: F811
    client.get("/health/live")
    structlog.get_logger("shop_reco.test").info("ours")
    logging.getLogger("celery").info("theirs")
    assert all("request_id" not in line for line in lines() if line["event"] in ("ours", "theirs"))
    assert {line["event"] for line in lines()} >= {"ours", "theirs"}
