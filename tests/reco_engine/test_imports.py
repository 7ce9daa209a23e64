"""The engine stands alone."""

from __future__ import annotations

import subprocess
import sys


def test_the_engine_imports_nothing_of_the_web_and_no_training_library():
    code = (
        "import sys, reco_engine.recommenders, reco_engine.ranking, reco_engine.artifacts, reco_engine.reasons;"
        "assert not {'django', 'torch', 'sparse_dot_topn', 'sklearn', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
