"""A fit that was stopped goes on where it was: one file, written whole or not at all."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reco_engine.errors import BadInputError

META = "meta"
Arrays = Mapping[str, npt.NDArray[Any]]


def write_checkpoint(path: Path, identity: str, facts: Mapping[str, Any], arrays: Arrays) -> None:
    """Write beside ``path``, sync, then rename over it.

    Args:
        identity: What the fit is of: a hash of its data, settings and seed.
        facts: Numbers and lists of numbers, to be read back as JSON.
        arrays: What was learnt so far, by name; no Python objects.
    """
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as file:
        np.savez(file, allow_pickle=False, **{META: np.asarray(json.dumps([identity, dict(facts)]))}, **arrays)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)


def read_checkpoint(path: Path, identity: str) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]] | None:
    """The facts and arrays last written to ``path``; None where nothing was.

    Raises:
        BadInputError: If the file is of other data, settings or seed, or is no checkpoint.
    """
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        owner, facts = json.loads(arrays.pop(META).item())
    except (ValueError, KeyError, OSError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise BadInputError(f"checkpoint {path.name} cannot be read; delete it to train from the start") from error
    if owner != identity:
        raise BadInputError(
            f"checkpoint {path.name} is of other data, settings or seed; delete it or give another path"
        )
    return facts, arrays
