"""Without the packages that measure the shop it serves and trains as it does with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.any_database
PROBE = """
import json, sys
if "bare" in sys.argv:
    sys.modules.update(dict.fromkeys(["prometheus_client", "opentelemetry", "tensorboard"]))
import django
django.setup()
from django.core.management import call_command
from django.test import Client
from shop_reco import measures

call_command("migrate", verbosity=0)
ask = {"query": "{ recommendations(first: 1) { rung } }"}
answer = Client().post("/graphql/", ask, content_type="application/json").json()["data"]
with measures.phase("training", "item_cf"):
    measures.slates_waiting(3)
    measures.hint_lost()
heavy = [name for name in ("tensorboard", "torch") if sys.modules.get(name)]
print(json.dumps([answer, Client().get("/metrics").status_code, heavy, bool(measures.metrics.registry)]))
"""


def probe(*arguments):
    environment = {name: value for name, value in os.environ.items() if name != "TEST_DATABASE_URL"}
    command = [sys.executable, "-c", PROBE, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_lists_are_served_with_and_without_them_and_the_web_process_loads_neither_tensorboard_nor_torch():
    answer = {"recommendations": {"rung": "NEWEST"}}
    assert probe() == [answer, 404, [], True]
    assert probe("bare") == [answer, 404, [], False]
