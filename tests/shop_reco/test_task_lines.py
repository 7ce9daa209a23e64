"""Lines of a Celery task carry its id, and those of a training its run's."""

from __future__ import annotations

import structlog
from celery import shared_task

from shop_reco.recommendations.services import request_training
from shop_reco.recommendations.training import run_next
from tests.shop_reco.test_logs import lines  # noqa: F401  a fixture


@shared_task
def says_something() -> None:
    structlog.get_logger("shop_reco.test").info("said")


def test_a_line_of_a_task_carries_its_id_and_one_after_it_does_not(lines):  # noqa: F811
    name = says_something.apply().id
    structlog.get_logger("shop_reco.test").info("silence")
    said, silence = (line for line in lines() if line["event"] in ("said", "silence"))
    assert (said["task_id"], said["task"]) == (name, "tests.shop_reco.test_task_lines.says_something")
    assert "task_id" not in silence


def test_a_line_of_a_training_carries_its_run(shop, lines):  # noqa: F811
    run = request_training(kind="popularity")
    run_next()
    (line,) = [line for line in lines() if line["event"] == "training_done"]
    assert (line["run"], line["kind"]) == (str(run.public_id), "popularity")
