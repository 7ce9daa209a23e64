"""A checkpoint is written whole, read back as it was, and never taken for another's."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.errors import BadInputError
from reco_engine.recommenders.checkpoints import read_checkpoint, write_checkpoint


def test_what_was_written_is_read_back_and_the_newest_wins(tmp_path):
    path = tmp_path / "fit.npz"
    assert read_checkpoint(path, "mine") is None
    for epoch in (1, 2):
        write_checkpoint(path, "mine", {"epoch": epoch, "losses": [0.5] * epoch}, {"a.b": np.full(2, epoch)})
    facts, arrays = read_checkpoint(path, "mine")
    assert facts == {"epoch": 2, "losses": [0.5, 0.5]}
    assert arrays["a.b"].tolist() == [2, 2]
    assert [file.name for file in tmp_path.iterdir()] == ["fit.npz"]


def test_another_fits_checkpoint_is_refused(tmp_path):
    write_checkpoint(tmp_path / "fit.npz", "mine", {}, {})
    with pytest.raises(BadInputError, match="give another path"):
        read_checkpoint(tmp_path / "fit.npz", "yours")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_a_broken_file_is_told_and_not_trusted(tmp_path, content):
    (tmp_path / "fit.npz").write_bytes(content)
    with pytest.raises(BadInputError, match="delete it"):
        read_checkpoint(tmp_path / "fit.npz", "mine")


def test_an_archive_of_something_else_is_told(tmp_path):
    np.savez(tmp_path / "fit.npz", other=np.zeros(2))
    with pytest.raises(BadInputError, match="cannot be read"):
        read_checkpoint(tmp_path / "fit.npz", "mine")


def test_python_objects_are_never_written(tmp_path):
    with pytest.raises(ValueError, match="pickle"):
        write_checkpoint(tmp_path / "fit.npz", "mine", {}, {"a": np.asarray([object()])})
    assert not (tmp_path / "fit.npz").exists()
