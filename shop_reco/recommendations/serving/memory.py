"""What each process keeps in memory: the live models and what may be shown; both know when they are stale."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog
from django.db.models import QuerySet

from reco_engine.artifacts import load
from reco_engine.data.interactions import codes_of
from reco_engine.errors import ArtifactError
from reco_engine.ranking import Blend, Hybrid
from reco_engine.ranking.blending import DEFAULT_WEIGHTS
from shop_reco.conf import reco_settings
from shop_reco.measures import models_loaded, stage
from shop_reco.products.models import Product
from shop_reco.products.selectors import catalogue_revision, showable_now

from ..models import ModelVersion, Placement
from ..selectors import earlier_versions, enabled_kinds, live_versions, masked_ids, serving_revision
from .newcomers import knowing

logger = structlog.get_logger(__name__)
STRATEGY_PARTS: Mapping[str, frozenset[str]] = {
    Placement.Strategy.SIMILAR: frozenset({"content", "item_cf"}),
    Placement.Strategy.BOUGHT_TOGETHER: frozenset({"item_cf"}),
    Placement.Strategy.POPULAR: frozenset({"popularity"}),
}
LIKENESS = 0.25
"""How much of the popularity prior is left where likeness is the question, as an exponent."""


@dataclass(frozen=True)
class LiveModels:
    """The live versions as one hybrid; ``degraded`` when an earlier version stands in for a damaged one."""

    revision: int
    hybrid: Hybrid
    buy_again: Any | None
    enabled: frozenset[str]
    versions: dict[str, str]
    degraded: bool

    def for_strategy(self, strategy: str) -> Hybrid:
        """The parts that a kind of list is made of, less those that are switched off."""
        wanted = STRATEGY_PARTS.get(strategy, frozenset(self.hybrid.parts))
        some = self.hybrid.taking_part(wanted & self.enabled)
        if strategy == Placement.Strategy.SIMILAR and "content" in some.parts:
            some.parts = {**some.parts, "content": _likeness(some.parts["content"])}
        return some


@dataclass(frozen=True)
class Shown:
    """Which items may be shown, up to a revision of the catalogue.

    Attributes:
        loaded: The live models as they were trained.
        models: The same, their content parts knowing what came into the catalogue since.
        allowed: Of the items of ``models``, shape (n_items,).
    """

    revision: int
    loaded: LiveModels
    models: LiveModels
    allowed: npt.NDArray[np.bool_]


class Memory:
    """Reloads what changed; safe to ask from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Start as a new process does."""
        self._loaded: dict[str, tuple[str, Any]] = {}
        self._models: LiveModels | None = None
        self._shown: Shown | None = None

    def models(self) -> LiveModels:
        """One query while nothing changed."""
        revision = serving_revision()
        models = self._models
        if models is None or models.revision != revision:
            with self._lock:
                models = self._models = self._load(revision)
        return models

    def models_and_mask(self) -> tuple[LiveModels, npt.NDArray[np.bool_]]:
        """The models and which of their items may be shown.

        Two queries while nothing changed; the rows that changed when something did.
        """
        with stage("models"):
            loaded = self.models()
        with stage("mask"):
            revision, shown = catalogue_revision(), self._shown
            if shown is None or shown.loaded is not loaded or shown.revision != revision:
                with self._lock:
                    shown = self._shown = _refreshed(self._shown, loaded, revision)
        return shown.models, shown.allowed

    def _load(self, revision: int) -> LiveModels:
        degraded = False
        parts: dict[str, Any] = {}
        for version in live_versions():
            model = self._model_of(version)
            if model is None:
                degraded = True
                stand_ins = (self._model_of(each) for each in earlier_versions(kind=version.recommender_id))
                model = next((each for each in stand_ins if each is not None), None)
            if model is not None:
                parts[version.recommender_id] = model
        models_loaded(degraded=degraded)
        versions = {kind: self._loaded[kind][0] for kind in parts}
        parts = _masked(parts)
        scorers = {kind: part for kind, part in parts.items() if kind in DEFAULT_WEIGHTS}
        blend = parts.get("hybrid") or Blend.default(dict.fromkeys(scorers, 1.0))
        return LiveModels(
            revision=revision,
            hybrid=Hybrid(scorers, blend),
            buy_again=parts.get("buy_again"),
            enabled=enabled_kinds(),
            versions=versions,
            degraded=degraded,
        )

    def _model_of(self, version: ModelVersion) -> Any | None:
        kind, name = version.recommender_id, version.public_id.hex
        loaded = self._loaded.get(kind)
        if loaded is not None and loaded[0] == name:
            return loaded[1]
        try:
            model = load(reco_settings().ARTIFACTS_ROOT / name, sha256=version.manifest_sha256)
        except ArtifactError as error:
            logger.error("artifact_refused", kind=kind, version=name, why=str(error))
            return None
        self._loaded[kind] = (name, model)
        return model


def _masked(parts: dict[str, Any]) -> dict[str, Any]:
    """The parts, those that store rows of users without the rows of who was erased."""
    storing = [kind for kind, part in parts.items() if hasattr(part, "without")]
    erased = np.asarray(masked_ids() if storing else [], dtype=np.int64)
    return parts if erased.size == 0 else parts | {kind: parts[kind].without(erased) for kind in storing}


def _likeness(content: Any) -> Any:
    softened = copy(content)
    softened.priors_ = content.priors_**LIKENESS
    return softened


def _refreshed(shown: Shown | None, loaded: LiveModels, revision: int) -> Shown:
    if shown is None or shown.loaded is not loaded or shown.revision > revision:
        open_ = _pks(Product.objects.filter(showable_now()))
        models = _knowing(loaded, open_)
        return Shown(revision, loaded, models, np.isin(models.hybrid.item_ids, open_))
    changed = Product.objects.filter(revision__gt=shown.revision)
    touched, open_ = _pks(changed), _pks(changed.filter(showable_now()))
    models = _knowing(shown.models, open_)
    ids = models.hybrid.item_ids
    allowed = np.zeros(ids.size, dtype=bool)
    allowed[codes_of(ids, shown.models.hybrid.item_ids)] = shown.allowed
    allowed[np.isin(ids, touched)] = False
    allowed[np.isin(ids, open_)] = True
    return Shown(revision, loaded, models, allowed)


def _knowing(models: LiveModels, shown: npt.NDArray[np.int64]) -> LiveModels:
    parts = knowing(models.hybrid.parts, shown)
    return models if parts is models.hybrid.parts else replace(models, hybrid=Hybrid(parts, models.hybrid.blend))


def _pks(products: QuerySet[Product]) -> npt.NDArray[np.int64]:
    return np.fromiter(products.values_list("pk", flat=True).iterator(), np.int64)


memory = Memory()
