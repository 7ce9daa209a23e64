"""The first steps of docs/api.md, as whoever reads them would run them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shop_reco.users.services import issue_key

pytestmark = [pytest.mark.any_database, pytest.mark.django_db(transaction=True)]
GUIDE = Path(__file__).resolve().parents[3] / "docs" / "api.md"
PROGRAMS = {
    "bash": ("bash", "-c"),
    "python": (sys.executable, "-c"),
    "javascript": ("node", "--input-type=module", "-e"),
}


@pytest.fixture
def ran(trained, live_server):
    """Runs the guide's example in a language; what it printed."""

    def run(language):
        if shutil.which(PROGRAMS[language][0]) is None or (language == "bash" and shutil.which("curl") is None):
            pytest.skip(f"no program here runs {language}")
        (example,) = re.findall(rf"```{language}\n(.*?)```", GUIDE.read_text(), re.S)
        key = issue_key(name=language, scopes=["lists:read"])[1]
        environment = {**os.environ, "SHOP": live_server.url, "KEY": key, "no_proxy": "*"}
        done = subprocess.run(
            [*PROGRAMS[language], example], env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_with_curl(ran):
    told = json.loads(ran("bash"))["data"]["recommendations"]
    assert len(told["edges"]) == 3
    assert told["edges"][0]["reasons"]


def test_with_python(ran):
    lines = ran("python").splitlines()
    assert [line.split()[0] for line in lines] == ["PERSONAL", "POPULAR"]


def test_with_javascript(ran):
    assert len(ran("javascript").split(", ")) == 3


def test_every_setting_and_code_that_the_guide_names_is_there():
    from shop_reco.conf import RecoSettings

    text = GUIDE.read_text()
    named = set(re.findall(r"`((?:QUERY|RATE|BODY|PAGE|INTROSPECTION)[A-Z_]*)`", text))
    assert named - {"INTROSPECTION_OFF", "RATE_LIMITED"} <= RecoSettings.__dataclass_fields__.keys()
    source = "".join(path.read_text() for path in (Path(__file__).resolve().parents[3] / "shop_reco/api").rglob("*.py"))
    codes = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+|TIMEOUT)`", text)) - RecoSettings.__dataclass_fields__.keys()
    assert not {code for code in codes if code not in source and code != "SHOP_RECO"}
