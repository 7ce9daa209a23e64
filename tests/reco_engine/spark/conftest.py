"""A session of Spark for all tests that need one, and interactions as tables."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.spark import Part, Writer


@pytest.fixture
def told(tmp_path):
    """Writes interactions as a table of several files, in any order; with an empty folder for a fit's work."""

    def told(interactions, seed=0, name="fit"):
        folder = tmp_path / name
        for each in ("table", "work"):
            (folder / each).mkdir(parents=True)
        writer, part = Writer(folder / "table"), Part.of(interactions)
        for rows in np.array_split(np.random.default_rng(seed).permutation(len(interactions)), 3):
            writer.add(Part(part.users[rows], part.items[rows], part.timestamps[rows], part.weights[rows]))
        return folder / "table", folder / "work"

    return told
