"""How far an import is, on a terminal and elsewhere."""

from __future__ import annotations

import io

import pytest
from django.core.management.base import OutputWrapper

from shop_reco.tables import progress
from shop_reco.tables.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(progress, "EVERY", {True: 0.0, False: 0.0})


def told(out):
    telling = Progress(OutputWrapper(out))
    telling(100, 0.25)
    telling(200, 0.5)
    telling.end()
    return out.getvalue()


def test_elsewhere_each_report_is_a_plain_line():
    first, second = told(io.StringIO()).splitlines()
    assert first.startswith("100 rows read, 25% of the file, ")
    assert second.startswith("200 rows read, 50% of the file, ")


def test_on_a_terminal_one_line_moves_on():
    text = told(Terminal())
    assert text.count("\n") == 1
    assert text.count("\r") == 2


def test_nothing_is_told_more_often_than_people_read(monkeypatch):
    monkeypatch.setattr(progress, "EVERY", {True: 60.0, False: 60.0})
    assert told(io.StringIO()) == ""
