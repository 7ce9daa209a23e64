"""What a machine lacks that trains with Spark, found without importing any of it."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

PACKAGES = {"pyspark": "pyspark", "pandas": "pandas", "pyarrow": "pyarrow", "sparse_dot_topn": "sparse-dot-topn"}


def lacking() -> list[str]:
    """The packages that cannot be imported, and ``Java`` where none is found; empty where all is there."""
    missing = [name for module, name in PACKAGES.items() if not _there(module)]
    return missing if _java() else [*missing, "Java"]


def _there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ValueError:
        return False


def _java() -> bool:
    """As Spark looks for it: below JAVA_HOME where that is set, else on the path."""
    home = os.environ.get("JAVA_HOME")
    return (Path(home) / "bin" / "java").is_file() if home else shutil.which("java") is not None
