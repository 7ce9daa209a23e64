"""Artifacts come back to the bit, or not at all."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.artifacts import load, save
from reco_engine.errors import ArtifactError
from reco_engine.recommenders.registry import BUILT_IN
from tests.reco_engine.conftest import AT, HISTORY


@pytest.fixture(scope="module", params=BUILT_IN)
def model(request, fitted):
    return fitted(request.param)


def test_a_model_comes_back_from_disk_as_it_was(model, tmp_path):
    manifest = save(model, tmp_path / "a")
    back = load(tmp_path / "a", sha256=manifest.sha256)
    np.testing.assert_array_equal(back.score([HISTORY], at=AT), model.score([HISTORY], at=AT))


def test_a_flipped_bit_is_refused_before_anything_is_mapped(model, tmp_path):
    manifest = save(model, tmp_path / "a")
    victim = tmp_path / "a" / sorted(manifest.files)[0]
    content = bytearray(victim.read_bytes())
    content[-1] ^= 1
    victim.write_bytes(bytes(content))
    with pytest.raises(ArtifactError, match=victim.name):
        load(tmp_path / "a")
