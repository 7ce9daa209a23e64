"""What a run fits: the recipe that is tried, the one that is live, and whether the two have to be compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from reco_engine.artifacts import load
from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import Interactions
from reco_engine.errors import ArtifactError, BadInputError, EngineError
from reco_engine.evaluation.gate import Factory, Recipe
from reco_engine.ranking import Blend, Hybrid
from reco_engine.ranking.blending import DEFAULT_WEIGHTS
from reco_engine.ranking.fitting import fit_blend
from reco_engine.recommenders import ItemCF
from reco_engine.recommenders.registry import create, open_settings
from reco_engine.spark import Cluster, fit, refit_item_cf
from shop_reco.conf import reco_settings

from ..engine import recommender_settings
from ..models import ModelVersion, TrainingRun
from ..selectors import live_version, live_versions

SEED = 0
Hear = Callable[..., None]


@dataclass(frozen=True)
class Plan:
    """How one run makes its model.

    Attributes:
        kind: Of recommender.
        live: The version that serves; None where there is none.
        work: What was asked for.
    """

    kind: str
    live: ModelVersion | None
    work: str

    @classmethod
    def of(cls, run: TrainingRun) -> Plan:
        return cls(run.recommender_id, live_version(kind=run.recommender_id), run.work)

    @cached_property
    def given(self) -> dict[str, Any]:
        """What the host's settings make of the kind now."""
        return settings_of_kind(self.kind)

    @cached_property
    def live_model(self) -> Any | None:
        """What serves; None where its artifact is damaged, so that it can be learnt anew and neither be learnt on
        from nor be compared with."""
        if self.live is None:
            return None
        try:
            return load_version(self.live)
        except ArtifactError:
            return None

    @cached_property
    def is_live_recipe(self) -> bool:
        """Whether what the host sets now is what the live recipe was made with: settings found by it may differ."""
        if self.live is None:
            return False
        if self.kind == Hybrid.name:
            return self.live.recipe.keys() == self.given.keys()
        return all(value is None or self.live.recipe.get(name) == value for name, value in self.given.items())

    @property
    def updates(self) -> bool:
        """Whether the live recipe learns new events: another one, set since, is tried by a whole training.

        What the gate has just stopped asks for such an update, and would be stopped again and again.
        """
        return self.work == TrainingRun.Work.UPDATE and self.live is not None

    @property
    def settings(self) -> dict[str, Any]:
        """Of the recipe that is fitted."""
        return dict(self.live.recipe) if self.updates and self.live is not None else self.given

    @property
    def compared(self) -> bool:
        """Whether the gate compares it with what is live: not where there is nothing to choose between."""
        if self.live is None or self.updates or self.work == TrainingRun.Work.ERASURE:
            return False
        if self.kind == Hybrid.name:
            return self.live_model is not None
        if not self.is_live_recipe:
            return True
        return bool(open_settings(create(self.kind, **self.given)))

    def is_found_again(self, found: Mapping[str, Any]) -> bool:
        """Whether a search has led to the recipe that is live."""
        return self.kind != Hybrid.name and self.live is not None and {**self.given, **found} == self.live.recipe

    def candidate(self) -> Factory:
        return _Remembered(Recipe(self.kind, self.settings))

    def rival(self, candidate: Factory) -> Factory:
        """The live recipe; the live hybrid ranks by the same parts as the candidate, which are fitted once."""
        assert self.live is not None  # noqa: S101
        if self.kind != Hybrid.name:
            return Recipe(self.kind, {**self.given, **self.live.recipe})
        blend = cast(Blend, self.live_model)
        return cast(Factory, lambda: _Reblended(candidate, blend))

    def fit(
        self, interactions: Interactions, catalogue: Catalogue, *, at: float, found: Mapping[str, Any], progress: Hear
    ) -> Any:
        """The model that is stored: a recommender, or the weights of the hybrid.

        Args:
            found: Settings that a search has found already.
        Raises:
            BadInputError: If the hybrid has no parts: its weights would silence those that come later.
        """
        if self.kind == Hybrid.name and not self.settings:
            raise BadInputError("No recommender is live yet, so there is nothing to weigh.")
        if self.kind == Hybrid.name:
            parts = {name: Recipe(name, given) for name, given in self.settings.items()}
            return fit_blend(parts, interactions, catalogue, seed=SEED, at=at, progress=progress)
        if self.updates and hasattr(self.live_model, "renewed"):  # popularity and factors stay those of the last fit
            return cast(Any, self.live_model).renewed(interactions)
        recipe = Recipe(self.kind, {**self.settings, **found})
        return recipe().fit(interactions, catalogue, seed=SEED, at=at, progress=progress)

    def fit_table(
        self,
        table: Path,
        spark: Cluster,
        catalogue: Catalogue,
        *,
        sample: Interactions,
        work: Path,
        at: float,
        found: Mapping[str, Any],
        progress: Hear,
    ) -> Any:
        """The same by Spark, from a table, for the kinds that it fits; see ``reco_engine.spark.fit``."""
        if self.updates and isinstance(self.live_model, ItemCF):
            return refit_item_cf(self.live_model, table, spark, work=work, progress=progress)
        model = Recipe(self.kind, {**self.settings, **found})()
        return fit(model, table, spark, catalogue, sample=sample, work=work, seed=SEED, at=at, progress=progress)


class _Remembered:
    """A factory that knows the last one it made."""

    def __init__(self, make: Factory) -> None:
        self._make = make
        self.made: Any = None

    def __call__(self) -> Any:
        self.made = self._make()
        return self.made


class _Reblended:
    """Weights that were learnt before, with the parts that a candidate has fitted by then."""

    name = Hybrid.name

    def __init__(self, candidate: Any, blend: Blend) -> None:
        self._candidate, self._blend = candidate.made, blend

    def fit(self, *args: Any, **settings: Any) -> Hybrid:
        return Hybrid(self._candidate.parts, self._blend)


def settings_of_kind(kind: str) -> dict[str, Any]:
    """What the host's settings make of a kind now; for the hybrid by part, as the parts' live recipes have it."""
    if kind != Hybrid.name:
        return recommender_settings(kind)
    return {
        version.recommender_id: {**version.recipe, **_set(recommender_settings(version.recommender_id))}
        for version in sorted(live_versions(), key=lambda each: each.recommender_id)
        if version.recommender_id in DEFAULT_WEIGHTS
    }


def _set(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def load_version(version: ModelVersion) -> Any:
    """Map a version's artifact; raises ArtifactError."""
    folder = reco_settings().ARTIFACTS_ROOT / version.public_id.hex
    return load(folder, sha256=version.manifest_sha256)


def live_hybrid(blend: Blend) -> Hybrid:
    """The weights over the live versions of the parts, as they will serve."""
    parts = {}
    for version in live_versions():
        if version.recommender_id in DEFAULT_WEIGHTS:
            try:
                parts[version.recommender_id] = load_version(version)
            except EngineError:
                continue  # serving leaves it out as well
    return Hybrid(parts, blend)
