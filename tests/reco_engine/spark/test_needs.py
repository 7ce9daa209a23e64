"""What is missing is named before anything starts."""

from __future__ import annotations

import sys

import pytest

from reco_engine.errors import MissingDependencyError
from reco_engine.spark import cluster, lacking


@pytest.fixture
def with_java(monkeypatch, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").touch()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))


def test_a_package_that_cannot_be_imported_is_named(with_java, monkeypatch):
    assert "pyarrow" not in lacking()
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert "pyarrow" in lacking()


def test_java_is_looked_for_where_spark_looks(monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert lacking()[-1] == "Java"
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert lacking()[-1] == "Java"


def test_a_session_without_java_is_refused_with_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(MissingDependencyError, match="Java, which is missing here"), cluster("local[1]"):
        pass
