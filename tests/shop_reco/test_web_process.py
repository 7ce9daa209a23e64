"""A web process begins with all that it answers by, and its garbage collector looks at none of it again."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

TOLD = """
import gc, json, sys
import shop_reco.{door} as door
began = len(gc.get_objects()), gc.get_freeze_count(), gc.isenabled()
named = [name in sys.modules for name in ("shop_reco.urls", "shop_reco.api.schema", "shop_reco.admin_site")]
print(json.dumps([callable(door.application), began, named]))
"""


@pytest.mark.parametrize("door", ["wsgi", "asgi"])
def test_what_it_begins_with_is_looked_at_by_no_collection(door):
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "shop_reco.settings.test"}
    code = TOLD.format(door=door)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    answers, (looked_at, left_alone, enabled), imported = json.loads(done.stdout)
    assert answers
    assert enabled
    assert all(imported)
    assert left_alone > 100_000
    assert looked_at < left_alone / 20
