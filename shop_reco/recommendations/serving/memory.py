"""What each process keeps in memory: live models, placements and rules, and the shelf; all know when they are stale."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import structlog

from reco_engine.artifacts import load
from reco_engine.data.interactions import codes_of
from reco_engine.errors import ArtifactError
from reco_engine.ranking import Blend, Hybrid
from reco_engine.ranking.blending import DEFAULT_WEIGHTS
from reco_engine.types import Ids
from shop_reco.conf import reco_settings
from shop_reco.measures import models_loaded, stage

from ..models import ModelVersion, Placement, Rule
from ..selectors import (
    active_rules,
    earlier_versions,
    enabled_kinds,
    live_versions,
    masked_ids,
    placements,
    revisions,
    serving_revision,
)
from .alike import Alike
from .newcomers import knowing
from .rules import Ruled
from .shelf import NEVER, Mask, Shelf

logger = structlog.get_logger(__name__)
STRATEGY_PARTS: Mapping[str, frozenset[str]] = {
    Placement.Strategy.SIMILAR: frozenset({"content", "item_cf"}),
    Placement.Strategy.BOUGHT_TOGETHER: frozenset({"item_cf"}),
    Placement.Strategy.POPULAR: frozenset({"popularity"}),
    Placement.Strategy.TRENDING: frozenset({"trending"}),
}
MOST_RULED = 64
"""Sets of rules whose meaning is kept; they change as their times begin and end."""
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
    placements: Mapping[str, Placement]
    rules: tuple[Rule, ...]

    def for_strategy(self, strategy: str, *, without: Collection[str] = ()) -> Hybrid:
        """The parts that a kind of list is made of, less those that are switched off, everywhere or there."""
        wanted = STRATEGY_PARTS.get(strategy, frozenset(self.hybrid.parts))
        return hybrid_of(self.hybrid, strategy, (wanted & self.enabled).difference(without))


def hybrid_of(hybrid: Hybrid, strategy: str, kinds: Collection[str]) -> Hybrid:
    """Some parts of a hybrid, as a kind of list takes them."""
    some = hybrid.taking_part(kinds)
    if strategy == Placement.Strategy.SIMILAR and "content" in some.parts:
        content: Any = some.parts["content"]
        some.parts = {**some.parts, "content": content.softened(LIKENESS)}
    return some


class View:
    """The live models over the shelf, up to a revision of either; never changed, but for what it finds out once.

    Attributes:
        loaded: The live models as they were trained.
        models: The same, their content parts knowing what came into the catalogue since.
        newcomers: Keys of the products that only these know.
        alike: What makes products of one list alike.
    """

    def __init__(self, loaded: LiveModels, models: LiveModels, shelf: Shelf) -> None:
        self.loaded, self.models, self.shelf = loaded, models, shelf
        self._places = codes_of(shelf.ids, models.hybrid.item_ids).astype(np.int32)
        self._known = self._places >= 0
        self._open: tuple[int, int, Mask, Mask] = (NEVER, NEVER, self._known, self._known)
        self._ruled: dict[tuple[int, ...], Ruled] = {}
        self.newcomers = _newcomers(loaded, models)
        self.alike = Alike(models.hybrid.parts.get("content"), shelf)

    def open_at(self, now: int) -> tuple[Mask, Mask]:
        """What may be shown at a moment (microseconds): of the shelf's products, and of the models' items."""
        since, until, products, items = self._open
        if not since <= now < until:
            products, until = self.shelf.open_at(now)
            items = self.over_items(products)
            self._open = (now, until, products, items)
        return products, items

    def over_items(self, products: Mask) -> Mask:
        """A mask of the shelf's products as one of the models' items."""
        return products[self._places] & self._known if products.size else np.zeros_like(self._known)

    def ruled(self, rules: Sequence[Rule]) -> Ruled:
        """What these rules say of the shelf."""
        key = tuple(rule.pk for rule in rules)
        if key not in self._ruled:
            if len(self._ruled) >= MOST_RULED:
                self._ruled = {}
            self._ruled[key] = Ruled.of(rules, self.shelf)
        return self._ruled[key]

    def points(self, ruled: Ruled, favourites: Mapping[int, float]) -> npt.NDArray[np.float64] | None:
        """What is added to the score of each of the models' items, shape (n_items,); None where nothing is."""
        if not favourites:
            return self.points_over(ruled, self.models.hybrid.item_ids)
        ids = self.models.hybrid.item_ids
        rules, places = self.points_over(ruled, ids), codes_of(ids, list(favourites))
        points = np.zeros(ids.size) if rules is None else rules
        points[places[places >= 0]] += np.fromiter(favourites.values(), np.float64, len(favourites))[places >= 0]
        return points

    def points_over(self, ruled: Ruled, ids: Ids) -> npt.NDArray[np.float64] | None:
        """What rules add to the scores of some products, a fresh array; None where they add nothing."""
        if ruled.points is None:
            return None
        own = ids is self.models.hybrid.item_ids
        places = self._places if own else codes_of(self.shelf.ids, ids)
        return np.where(places >= 0, ruled.points[places], 0.0)


class Memory:
    """Reloads what changed; safe to ask from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        """Start as a new process does."""
        self._loaded: dict[str, tuple[str, Any]] = {}
        self._models: LiveModels | None = None
        self._view: View | None = None

    def models(self) -> LiveModels:
        """One query while nothing changed."""
        return self._live(serving_revision())

    def view(self) -> View:
        """One query while nothing changed; the rows that changed when something did."""
        with stage("models"):
            serving, catalogue = revisions()
            loaded, view = self._live(serving), self._view
            if view is None or view.loaded is not loaded or view.shelf.revision != catalogue:
                with self._lock:
                    view = self._view = _refreshed(self._view, loaded, catalogue)
        return view

    def view_with(self, version: ModelVersion) -> View:
        """The view as it would be if this version were live; kept by nobody.

        Raises:
            ArtifactError: If its artifact is gone or damaged.
        """
        view, name = self.view(), version.public_id.hex
        if view.loaded.versions.get(version.recommender_id) == name:
            return view
        model = load(reco_settings().ARTIFACTS_ROOT / name, sha256=version.manifest_sha256)
        loaded = _with(view.loaded, version.recommender_id, name, masked({version.recommender_id: model}))
        return View(loaded, _knowing(loaded, view.shelf.ids), view.shelf)

    def _live(self, revision: int) -> LiveModels:
        models = self._models
        if models is None or models.revision != revision:
            with self._lock:
                models = self._models = self._load(revision)
        return models

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
        versions = {kind: self._loaded[kind][0] for kind in parts}
        parts = masked(parts)
        share_ids(part for kind, part in parts.items() if kind != Hybrid.name)
        scorers = {kind: part for kind, part in parts.items() if kind in DEFAULT_WEIGHTS}
        blend = parts.get("hybrid") or Blend.default(dict.fromkeys(scorers, 1.0))
        models_loaded(degraded=degraded)
        return LiveModels(
            revision=revision,
            hybrid=Hybrid(scorers, blend),
            buy_again=parts.get("buy_again"),
            enabled=enabled_kinds(),
            versions=versions,
            degraded=degraded,
            placements=placements(),
            rules=tuple(active_rules()),
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


def damaged_versions() -> dict[str, str]:
    """Why each live version cannot be taken up that cannot, by kind; reads the whole artifact of each."""
    damaged: dict[str, str] = {}
    for version in live_versions():
        try:
            load(reco_settings().ARTIFACTS_ROOT / version.public_id.hex, sha256=version.manifest_sha256)
        except ArtifactError as error:
            damaged[version.recommender_id] = str(error)
    return damaged


def _with(models: LiveModels, kind: str, name: str, part: Mapping[str, Any]) -> LiveModels:
    """The same with another version of one of them."""
    models = replace(models, versions={**models.versions, kind: name})
    if kind == "buy_again":
        return replace(models, buy_again=part[kind])
    if kind == Hybrid.name:
        return replace(models, hybrid=Hybrid(models.hybrid.parts, part[kind]))
    return replace(models, hybrid=Hybrid({**models.hybrid.parts, **part}, models.hybrid.blend))


def share_ids(models: Iterable[Any]) -> None:
    """Have models of the same items hold one array of their ids, so that a history is looked up once for all."""
    known: list[Ids] = []
    for model in models:
        same = next((ids for ids in known if np.array_equal(ids, model.item_ids_)), None)
        if same is None:
            known.append(model.item_ids_)
        else:
            model.item_ids_ = same


def masked(parts: dict[str, Any]) -> dict[str, Any]:
    """The parts, those that store rows of users without the rows of who was erased."""
    storing = [kind for kind, part in parts.items() if hasattr(part, "without")]
    erased = np.asarray(masked_ids() if storing else [], dtype=np.int64)
    return parts if erased.size == 0 else parts | {kind: parts[kind].without(erased) for kind in storing}


def _refreshed(view: View | None, loaded: LiveModels, revision: int) -> View:
    """A change of the models keeps the shelf, and one of the catalogue the models."""
    if view is None or view.shelf.revision > revision:
        shelf = Shelf.read(revision)
        return View(loaded, _knowing(loaded, shelf.ids), shelf)
    shelf, fresh = (view.shelf, np.empty(0, np.int64))
    if shelf.revision != revision:
        shelf, fresh = shelf.caught_up(revision)
    if view.loaded is loaded:
        return View(loaded, _knowing(view.models, fresh), shelf)
    return View(loaded, _knowing(loaded, shelf.ids), shelf)


def _newcomers(loaded: LiveModels, models: LiveModels) -> frozenset[int]:
    wider = [(part, models.hybrid.parts[kind]) for kind, part in loaded.hybrid.parts.items()]
    new = [
        after.item_ids[codes_of(before.item_ids, after.item_ids) < 0] for before, after in wider if before is not after
    ]
    return frozenset(np.concatenate(new).tolist()) if new else frozenset()


def _knowing(models: LiveModels, shown: npt.NDArray[np.int64]) -> LiveModels:
    parts = knowing(models.hybrid.parts, shown)
    return models if parts is models.hybrid.parts else replace(models, hybrid=Hybrid(parts, models.hybrid.blend))


memory = Memory()
