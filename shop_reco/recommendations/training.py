"""From a claimed run to a live version: load, fit, check, write, promote."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import structlog
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from reco_engine.artifacts import save
from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions
from reco_engine.errors import EngineError
from reco_engine.ranking.blending import DEFAULT_WEIGHTS
from reco_engine.ranking.fitting import fit_blend
from reco_engine.recommenders.registry import create, found_settings
from shop_reco.conf import reco_settings
from shop_reco.event_files import event_files
from shop_reco.events.cleaning import clean_events, people_of
from shop_reco.events.flags import raise_flags
from shop_reco.events.selectors import flags_in_force
from shop_reco.measures import phase
from shop_reco.products.engine import cleaned_catalogue

from . import services
from .engine import part_settings, recommender_settings
from .errors import RunCancelledError
from .models import ModelVersion, TrainingRun

logger = structlog.get_logger(__name__)
SEED = 0


def run_next(*, owner: uuid.UUID | None = None) -> TrainingRun | None:
    """Work off the next run; None when there is none, or another worker is at one."""
    run = services.claim_next_run(owner=owner or uuid.uuid4())
    if run is None:
        return None
    with bound_contextvars(run=str(run.public_id), kind=run.recommender_id):
        _work_off(run)
    run.refresh_from_db()
    return run


def _work_off(run: TrainingRun) -> None:
    try:
        version = _train(run)
        with phase("promoting", run.recommender_id):
            services.promote(run=run, version=version)
        logger.info("training_done", version=str(version.public_id))
    except RunCancelledError:
        logger.info("training_cancelled")
    except EngineError as error:
        services.fail_run(run=run, why=str(error))
        logger.warning("training_failed", why=str(error))
    except Exception as error:
        services.fail_run(run=run, why=f"{type(error).__name__}: {error}")
        logger.exception("training_broke")


def _train(run: TrainingRun) -> ModelVersion:
    now, started = timezone.now(), time.monotonic()
    beat = partial(services.beat_heart, run=run)
    beat(phase="extracting", progress=0.0)
    kind = run.recommender_id
    with phase("extracting", kind):
        interactions, catalogue = _load(run, now)
    beat(phase="training", progress=0.1)
    with phase("training", kind), event_files(kind=kind, run=run.public_id.hex[:8]) as files:
        model = _fit(kind, interactions, catalogue, now, _Pulse(beat, files))
    beat(phase="evaluating", progress=0.9)
    with phase("evaluating", kind):
        _check(model, interactions)
    version_id = uuid.uuid4()
    manifest = save(model, reco_settings().ARTIFACTS_ROOT / version_id.hex)
    newest = interactions.newest
    return ModelVersion.objects.create(
        public_id=version_id,
        recommender_id=run.recommender_id,
        run=run,
        manifest_sha256=manifest.sha256,
        size=manifest.size,
        watermark=None if newest is None else dt.datetime.fromtimestamp(newest, dt.UTC),
        figures={
            "interactions": len(interactions),
            "shoppers": interactions.n_users,
            "items": interactions.n_items,
            "seconds": round(time.monotonic() - started, 1),
            "settings": found_settings(model),
        },
    )


def _load(run: TrainingRun, now: dt.datetime) -> tuple[Interactions, Catalogue]:
    """What may be learnt from; the run keeps what was not, and whoever was found out is flagged first."""
    cleaned, products = clean_events(until=now), cleaned_catalogue()
    flagged = raise_flags(suspicions=cleaned.suspicions)
    interactions = cleaned.without(people_of(flags_in_force()))
    kept_out = {
        "shoppers": cleaned.interactions.n_users - interactions.n_users,
        "events": len(cleaned.interactions) - len(interactions),
    }
    missing = {**cleaned.report["missing"], **products.missing}
    rules = [*cleaned.report["rules"], *products.rules]
    report = {**cleaned.report, "rules": rules, "missing": missing, "flags": flagged, "kept_out": kept_out}
    services.keep_cleaning_report(run=run, report=report)
    return interactions, products.catalogue


def _fit(kind: str, interactions: Interactions, catalogue: Catalogue, now: dt.datetime, progress: _Pulse) -> Any:
    at = now.timestamp()
    if kind == "hybrid":
        factories = {name: partial(create, name, **part_settings(name)) for name in DEFAULT_WEIGHTS}
        return fit_blend(factories, interactions, catalogue, seed=SEED, at=at, progress=progress)
    return create(kind, **recommender_settings(kind)).fit(interactions, catalogue, seed=SEED, at=at, progress=progress)


def _check(model: Any, interactions: Interactions) -> None:
    """Refuse a model that would serve nonsense.

    Raises:
        EngineError: If something it learnt is no number, or its scores for a real history are infinite.
    """
    for name, learnt in vars(model).items():
        told = np.asarray(learnt) if isinstance(learnt, np.ndarray | float) else np.empty(0)
        if told.dtype.kind == "f" and not np.all(np.isfinite(told)):
            raise EngineError(f"the new model's {name} has values that are not finite; it was not promoted")
    if not hasattr(model, "score"):
        return
    mine = interactions.items[interactions.users == 0]
    history = History(interactions.item_ids[mine].tolist())
    if np.isinf(model.score([history])).any():
        raise EngineError("the new model's scores are not finite; it was not promoted")


class _Pulse:
    """Turns a fit's progress into heartbeats, one a second at most; ``files`` hear every word."""

    def __init__(self, beat: Any, files: Callable[[float, float | None], None]) -> None:
        self._beat, self._files, self._last = beat, files, 0.0

    def __call__(self, done: float, loss: float | None = None) -> None:
        self._files(done, loss)
        if time.monotonic() - self._last >= 1.0:
            self._last = time.monotonic()
            self._beat(phase="training", progress=0.1 + 0.8 * done)
