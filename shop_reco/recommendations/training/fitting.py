"""The work of one run, phase by phase: extract, clean, compare, fit, check, write, promote."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from django.db import transaction
from django.utils import timezone

from reco_engine.artifacts import Manifest, load, save
from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import Interactions
from reco_engine.errors import EngineError
from reco_engine.evaluation.gate import Comparison, Decision, check_artifact, compare, decide, surges
from reco_engine.ranking import Hybrid
from reco_engine.recommenders.registry import found_settings
from reco_engine.spark import cluster
from shop_reco.conf import reco_settings
from shop_reco.event_files import event_files
from shop_reco.measures import phase
from shop_reco.products.selectors import catalogue_revision

from .. import services
from ..models import ModelVersion, Promotion, TrainingRun
from .material import Material, material_of
from .recipes import SEED, Plan, live_hybrid
from .telling import Phase, Teller


def fit(run: TrainingRun, teller: Teller) -> None:
    """Do the work of a claimed run and end it.

    Raises:
        RunCancelledError: If the run was cancelled or taken over meanwhile.
        EngineError: If nothing can be learnt, or what was learnt may not serve.
    """
    plan, now, started = Plan.of(run), timezone.now(), time.monotonic()
    revision = catalogue_revision()
    with ExitStack() as stack:
        with phase("extracting", plan.kind):
            material = stack.enter_context(material_of(run, now, teller))
        interactions, catalogue = material.interactions, material.catalogue
        with phase("comparing", plan.kind):
            comparison, decision = _compared(plan, interactions, catalogue, now, teller)
        found = {} if comparison is None or comparison.twin is None else found_settings(comparison.twin)
        if decision is not None and decision.rule != "surge" and plan.is_found_again(found):
            decision = None
            teller.say("The search found the live recipe again.")
        hear = teller.phase(Phase.TRAINING, 0.6 if comparison else 0.2, 0.9)
        with phase("training", plan.kind), event_files(kind=plan.kind, run=run.public_id.hex[:8]) as files:
            model = _fitted(plan, material, now, found, _both(hear, files))
        teller.phase(Phase.EVALUATING, 0.9, 0.95)
        with phase("evaluating", plan.kind):
            _check(plan, model, comparison, interactions, now)
        teller.phase(Phase.PROMOTING, 0.95, 1.0)
        found |= found_settings(model)
        figures = {
            "interactions": material.n_interactions,
            "shoppers": material.n_users,
            "items": material.n_items,
            "catalogue_revision": revision,
            "seconds": round(time.monotonic() - started, 1),
            "settings": found,
            **({"backend": "spark", "sample": len(interactions)} if material.table is not None else {}),
        }
        public_id = uuid.uuid4()
        manifest = _write(model, public_id)
    with transaction.atomic():  # a version that a death left behind would be in the way of the run's next attempt
        version = ModelVersion.objects.create(
            public_id=public_id,
            run=run,
            recommender_id=plan.kind,
            manifest_sha256=manifest.sha256,
            size=manifest.size,
            watermark=None if material.newest is None else dt.datetime.fromtimestamp(material.newest, dt.UTC),
            recipe={**plan.settings, **found},
            gate=_gate_of(comparison, decision),
            figures=figures,
        )
        _end(run, version, decision)


def _fitted(
    plan: Plan, material: Material, now: dt.datetime, found: dict[str, Any], progress: Callable[..., None]
) -> Any:
    """The model that is stored, by whichever of the two fits it."""
    if material.table is None:
        return plan.fit(material.interactions, material.catalogue, at=now.timestamp(), found=found, progress=progress)
    reco, work = reco_settings(), material.table.with_name("work")
    work.mkdir()
    with cluster(reco.SPARK_MASTER, reco.SPARK_OPTIONS) as spark:
        return plan.fit_table(
            material.table, spark, material.catalogue, sample=material.interactions, work=work, at=now.timestamp(),
            found=found, progress=progress,
        )  # fmt: skip


def _compared(
    plan: Plan, interactions: Interactions, catalogue: Catalogue, now: dt.datetime, teller: Teller
) -> tuple[Comparison | None, Decision | None]:
    """What the gate says; nothing where there is no choice, but that nobody pushed an item just before."""
    pushed = surges(interactions, at=now.timestamp()) if plan.live is not None and len(interactions) else []
    if not plan.compared:
        if pushed and plan.work != TrainingRun.Work.ERASURE:
            raise EngineError(" ".join(each.why for each in pushed) + " It was not learnt from.")
        return None, None
    hear = teller.phase(Phase.EVALUATING, 0.2, 0.6)
    candidate = plan.candidate()
    comparison = compare(
        candidate, plan.rival(candidate), interactions, catalogue,
        at=now.timestamp(), seed=SEED, n_users=reco_settings().GATE_SHOPPERS, progress=hear,
    )  # fmt: skip
    decision = decide(comparison, surges=pushed)
    teller.say(f"{decision.verdict}: {decision.why}")
    return comparison, decision


def _both(one: Callable[..., None], other: Callable[[float, float | None], None]) -> Callable[..., None]:
    def hear(done: float, loss: float | None = None) -> None:
        one(done, loss)
        other(done, loss)

    return hear


def _check(plan: Plan, model: Any, comparison: Comparison | None, interactions: Interactions, now: dt.datetime) -> None:
    """Refuse a model that would serve nonsense; it is held against its twin, or else against what is live."""
    twin = comparison.twin if comparison is not None else None
    if twin is None:
        twin = plan.live_model
    if plan.kind == Hybrid.name:
        model = live_hybrid(model)
        twin = twin if isinstance(twin, Hybrid) else None
        if not model.parts:
            return
    faults = check_artifact(model, twin, interactions, at=now.timestamp(), seed=SEED)
    if faults:
        raise EngineError(" ".join(faults) + " It was not promoted.")


def _end(run: TrainingRun, version: ModelVersion, decision: Decision | None) -> None:
    if decision is None:
        services.promote(run=run, version=version)
    elif decision.verdict == "promote":
        services.promote(run=run, version=version, decided_by=Promotion.By.GATE, why=decision.why)
    else:
        services.refuse(run=run, version=version, why=decision.why, waits=decision.verdict == "keep")


def _write(model: Any, public_id: uuid.UUID) -> Manifest:
    """Write the artifact and read it back."""
    folder = reco_settings().ARTIFACTS_ROOT / public_id.hex
    manifest = save(model, folder)
    load(folder, sha256=manifest.sha256)
    return manifest


def _gate_of(comparison: Comparison | None, decision: Decision | None) -> dict[str, Any]:
    told = {"comparison": comparison.to_json()} if comparison is not None else {}
    return {**told, "decision": decision.to_json()} if decision is not None else told
