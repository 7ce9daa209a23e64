"""What a run learns from: all of it in memory, or some of it, and all of it where Spark reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import Interactions
from reco_engine.errors import MissingDependencyError
from reco_engine.spark import KINDS, lacking
from shop_reco.conf import reco_settings
from shop_reco.events.cleaning import clean_events, people_of
from shop_reco.events.flags import raise_flags
from shop_reco.events.selectors import count_training_events, flags_in_force
from shop_reco.products.engine import cleaned_catalogue

from .. import services
from ..learning import with_feedback
from ..models import TrainingRun
from .exports import discard_export, export_interactions
from .telling import Phase, Teller


@dataclass(frozen=True, eq=False)
class Material:
    """The data of one run.

    Attributes:
        interactions: All that may be learnt from, or where Spark reads the whole, those of some shoppers.
        table: Where Spark reads all of them; None where ``interactions`` are all.
        newest: Unix seconds.
    """

    interactions: Interactions
    catalogue: Catalogue
    n_interactions: int
    n_users: int
    n_items: int
    newest: float | None
    table: Path | None = None


def fits_with_spark(kind: str) -> bool:
    """Whether Spark fits a kind of recommender, by the settings and by how much there is to learn from.

    Raises:
        MissingDependencyError: If it should, and this machine cannot.
    """
    reco = reco_settings()
    if kind not in KINDS:
        return False
    chosen = reco.TRAINING_BACKEND == "spark"
    if not chosen and (reco.SPARK_ABOVE is None or count_training_events() <= reco.SPARK_ABOVE):
        return False
    if missing := lacking():
        raise MissingDependencyError(
            f"This training is one for Spark, and here is no {', no '.join(missing)}: "
            'pip install "shop-reco[spark]" and Java 17 or later, or SHOP_RECO["TRAINING_BACKEND"] = "numpy" '
            'without SHOP_RECO["SPARK_ABOVE"].'
        )
    return True


@contextmanager
def material_of(run: TrainingRun, now: dt.datetime, teller: Teller) -> Iterator[Material]:
    """What may be learnt from; the run keeps what was not, and whoever was found out is flagged first.

    Raises:
        MissingDependencyError: If Spark should read it, and this machine cannot.
    """
    if not fits_with_spark(run.recommender_id):
        yield _told(_in_memory(run, now, teller), teller)
        return
    try:
        yield _told(_exported(run, now, teller), teller)
    finally:
        discard_export(name=run.public_id.hex)


def _in_memory(run: TrainingRun, now: dt.datetime, teller: Teller) -> Material:
    cleaned = clean_events(until=now, progress=teller.phase(Phase.EXTRACTING, 0.0, 0.15))
    teller.phase(Phase.CLEANING, 0.15, 0.2)
    flagged = raise_flags(suspicions=cleaned.suspicions)
    interactions = cleaned.without(people_of(flags_in_force()))
    kept_out = {
        "shoppers": cleaned.interactions.n_users - interactions.n_users,
        "events": len(cleaned.interactions) - len(interactions),
    }
    interactions, cleaned.report["feedback"] = with_feedback(interactions)
    catalogue = _reported(run, cleaned.report, flagged, kept_out)
    return Material(
        interactions, catalogue, len(interactions), interactions.n_users, interactions.n_items, interactions.newest
    )


def _exported(run: TrainingRun, now: dt.datetime, teller: Teller) -> Material:
    teller.say(_("Spark trains this."))
    hear = teller.phase(Phase.EXTRACTING, 0.0, 0.15)
    export = export_interactions(name=run.public_id.hex, until=now, progress=hear)
    teller.phase(Phase.CLEANING, 0.15, 0.2)
    catalogue = _reported(run, export.report, export.flagged, export.kept_out)
    return Material(
        interactions=export.sample,
        catalogue=catalogue,
        n_interactions=export.n_interactions,
        n_users=export.n_users,
        n_items=export.n_items,
        newest=export.newest,
        table=export.table,
    )


def _reported(run: TrainingRun, cleaning: Any, flagged: Any, kept_out: Any) -> Catalogue:
    """The catalogue; what was not used of it and of the events is kept with the run."""
    products = cleaned_catalogue()
    missing = {**cleaning["missing"], **products.missing}
    rules = [*cleaning["rules"], *products.rules]
    report = {**cleaning, "rules": rules, "missing": missing, "flags": flagged, "kept_out": kept_out}
    services.keep_cleaning_report(run=run, report=report)
    return products.catalogue


def _told(material: Material, teller: Teller) -> Material:
    teller.say(f"{material.n_interactions:,} interactions of {material.n_users:,} shoppers, {material.n_items:,} items")
    if material.table is not None and len(material.interactions) < material.n_interactions:
        teller.say(f"Settings are searched by {len(material.interactions):,} of them")
    return material
