"""Fits over a table of Parquet, as each kind's own ``fit`` does over arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from reco_engine.data import features as features_of
from reco_engine.data.catalogue import Catalogue
from reco_engine.data.features import feature_matrix, some_users
from reco_engine.data.interactions import Interactions
from reco_engine.errors import BadInputError
from reco_engine.recommenders import ContentBased, ItemCF, Popularity, item_cf, popularity
from reco_engine.recommenders.base import Progress, heard, need_catalogue
from reco_engine.recommenders.likeness import features_rng
from reco_engine.recommenders.taken import Taken

from .folding import Faded, Takers
from .session import Cluster

TERM_PAIRS = 50_000_000
"""Of more pairs of user and item, item-based CF's spectral term is learnt from those of users drawn at random."""


def fit(
    model: Any,
    table: Path,
    spark: Cluster,
    catalogue: Catalogue | None = None,
    *,
    sample: Interactions,
    work: Path,
    seed: int = 0,
    at: float | None = None,
    progress: Progress | None = None,
) -> Any:
    """Learn from all interactions of a table what ``model.fit`` learns from them in memory, to the byte.

    Settings left ``None`` are chosen by ``sample``; and of more than ``TERM_PAIRS`` pairs, a spectral term is learnt
    from as many. Otherwise nothing depends on the sample.

    Args:
        model: An unfitted recommender of one of the ``KINDS``; it is fitted.
        table: A folder of Parquet files with the columns user, item, timestamp (unix seconds) and weight, all dated.
        sample: All interactions of some users, those of all where they fit into memory.
        work: An empty folder for what lies between the passes; the caller deletes it once the model is stored.
        at: The instant that ages count from; None: the newest interaction.
    Raises:
        BadInputError: If there is nothing to learn from, or recommenders of this kind do not learn here.
        ClusterError: If a job fails.
    """
    if type(model) not in _FITS:
        raise BadInputError(f"{model.name} does not learn from Spark; {', '.join(KINDS)} do")
    item_ids, newest = spark.item_ids(table)
    instant = newest if at is None else at
    hear = progress or (lambda done, loss=None: None)
    return _FITS[type(model)](model, table, spark, item_ids, catalogue, sample, work, seed, instant, hear)


def refit_item_cf(live: ItemCF, table: Path, spark: Cluster, *, work: Path, progress: Progress | None = None) -> ItemCF:
    """As ``ItemCF.refit`` over a table: the live model's settings, popularity, instant and factors, to the byte."""
    item_ids, _ = spark.item_ids(table)
    hear = progress or (lambda done, loss=None: None)
    fold = Faded(item_ids, live.instant_, live.half_life_)
    return live.learn_anew(*_taken(spark, table, fold, work, hear))


def _fit_popularity(
    model: Popularity, table: Path, spark: Cluster, item_ids: Any, catalogue: Catalogue | None, sample: Interactions,
    work: Path, seed: int, at: float, hear: Progress,
) -> Popularity:  # fmt: skip
    if model.lean <= 0:
        raise BadInputError(f"lean must be above zero takers, not {model.lean}")
    half_life = popularity.SEARCH.settings_for(model, sample, None, seed=seed, at=at)["half_life"]
    rows = spark.user_rows(table, Takers(item_ids, at, half_life), work, hear)
    return model.learn(item_ids, rows.sums(item_ids.size), half_life)


def _fit_item_cf(
    model: ItemCF, table: Path, spark: Cluster, item_ids: Any, catalogue: Catalogue | None, sample: Interactions,
    work: Path, seed: int, at: float, hear: Progress,
) -> ItemCF:  # fmt: skip
    model.settle(item_cf.SEARCH.settings_for(model, sample, None, seed=seed, at=at, progress=hear))
    taken, rows = _taken(spark, table, Faded(item_ids, at, model.half_life_), work, hear)
    return model.learn(taken, rows, instant=at, seed=seed, term_pairs=TERM_PAIRS)


def _taken(
    spark: Cluster, table: Path, fold: Faded, work: Path, hear: Progress
) -> tuple[Taken, Callable[..., sparse.csr_matrix]]:
    """What is taken, on mapped files, and what gives each item's best targets by it."""
    rows = spark.user_rows(table, fold, work, heard(hear, 0.0, 0.3))
    taken = Taken(rows.user_ids, fold.item_ids, rows.matrix(fold.item_ids.size))
    return taken, partial(spark.similar, rows, work=work, tell=heard(hear, 0.3, 0.7))


def _fit_content(
    model: ContentBased, table: Path, spark: Cluster, item_ids: Any, catalogue: Catalogue | None,
    sample: Interactions, work: Path, seed: int, at: float, hear: Progress,
) -> ContentBased:  # fmt: skip
    items = need_catalogue(catalogue)
    settings = model.chosen(sample, items, seed, at)
    rows = spark.user_rows(table, Takers(items.item_ids, at, model.half_life), work, hear)
    features, _ = feature_matrix(items)
    rng = features_rng(seed)
    drawn = some_users(rows.totals(np.diff(features.indptr)), features_of.MOST_CELLS, rng)
    taken = sparse.csr_matrix(rows.matrix(len(items))[drawn])
    return model.learn(items, taken, rows.sums(len(items)), settings, seed)


_FITS: Mapping[type[Any], Callable[..., Any]] = {
    Popularity: _fit_popularity,
    ItemCF: _fit_item_cf,
    ContentBased: _fit_content,
}
KINDS = tuple(kind.name for kind in _FITS)
"""What learns from Spark; the others learn in memory."""
