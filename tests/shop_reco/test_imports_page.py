"""The page on imports says what happens: its files are written, its commands run, its answers compared."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from django.core.management import call_command

PAGE = Path(__file__).resolve().parents[2] / "docs" / "imports.md"
BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MANAGE = ["python", "manage.py"]


def run(line, capsys):
    words = shlex.split(line)
    if words[:2] != MANAGE:
        return subprocess.run(line, shell=True, capture_output=True, text=True, check=True).stdout
    call_command(*words[2:])
    return capsys.readouterr().out


def test_every_example_of_the_page_does_what_it_says(db, tmp_path, monkeypatch, settings, capsys):
    pytest.importorskip("pyarrow")
    settings.SHOP_RECO = {**settings.SHOP_RECO, "RETENTION_DAYS": 36_500}
    monkeypatch.chdir(tmp_path)
    commands = 0
    for kind, name, text in BLOCK.findall(PAGE.read_text()):
        if name:
            Path(name).write_text(text)
        elif kind == "python":
            exec(compile(text, str(PAGE), "exec"), {})
        else:
            for command, answer in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE):
                assert run(command, capsys).removeprefix("\ufeff") == answer, command
                commands += 1
    assert commands == 12
