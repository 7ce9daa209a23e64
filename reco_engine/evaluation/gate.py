"""The gate: may this version replace that one, and why.

Before a fit, what may be learnt from is looked over; recipes are compared; the better one is fitted to all; the
artifact is checked. A change of settings or of code goes the whole way::

    pushed = surges(interactions, at=now)
    comparison = compare(candidate, live, interactions, catalogue, at=now)
    decision = decide(comparison, surges=pushed)
    if decision.verdict == "promote":
        model = candidate().fit(interactions, catalogue, seed=seed, at=now)
        faults = check_artifact(model, comparison.twin, interactions, at=now)

``candidate`` and ``live`` are recipes: ``Recipe("item_cf", {"n_targets": 400})``,
``Recipe("hybrid", {"item_cf": {}, "popularity": {}})``, or any function that makes an unfitted recommender. Fitting
the same recipe to newer interactions needs no comparison: ``surges``, then ``check_artifact`` beside the live model.
``to_json`` of a comparison and of a decision are plain values, to be kept and charted.
"""

from __future__ import annotations

from reco_engine.data.surges import Surge, surges

from .artifact_check import check_artifact
from .comparing import Comparison, Section, compare
from .recipes import Factory, Recipe
from .verdict import Decision, decide, primary_section

__all__ = [
    "Comparison",
    "Decision",
    "Factory",
    "Recipe",
    "Section",
    "Surge",
    "check_artifact",
    "compare",
    "decide",
    "primary_section",
    "surges",
]
