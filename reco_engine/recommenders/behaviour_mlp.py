"""Behaviour MLP: the bag of what a shopper took, through a hidden layer, to a score for every item."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy import sparse
from threadpoolctl import threadpool_limits

from reco_engine.data.catalogue import Catalogue
from reco_engine.data.interactions import History, Interactions, codes_of
from reco_engine.portrait.decay import half_life_weights
from reco_engine.seeds import generator
from reco_engine.types import Floats, Ids, Items, Scores, Terms

from .bag_batches import Sampling
from .bag_network import BagNetwork
from .bag_slice import Slice, held_out
from .bag_start import start_tables
from .base import Explained, Progress, entries_of, need_interactions
from .networks import BagPlan, threads_for, train_bag_network

Tables = dict[str, npt.NDArray[np.float32]]
PATH_STEPS = 16
FACTORS = (64, 512)
USERS_A_FACTOR = 16
LEAST_SHARE = 1e-9
"""Of the heaviest entry of a bag, what the most faded one still counts: what is taken is never quite nothing."""
TEMPERATURES = (0.085, 0.13, 0.2)
DEFAULT_TEMPERATURE = 0.13
TRIAL_EPOCHS = 2
BATCHES = 40
"""Steps of an epoch that few users are cut into."""


@dataclass
class BehaviourMLP(Explained):
    """A denoising autoencoder over the items that enough users took: hides part of each bag and learns to find it.

    ``BagNetwork`` is what it computes, ``start_tables`` where it starts, ``train_bag_network`` how it learns. A bag
    holds the roots of the faded counts, so that what is recent counts more and a tenth purchase less than the first.
    Training ends early by NDCG@20 on a slice of users whose last items are hidden, and the best epoch is kept.

    Settings left ``None`` are chosen in ``fit``: ``n_factors`` a sixteenth of the users, from 64 to 512, and never
    more than users or items; ``batch`` so that few users still make 40 steps an epoch, from 32 to 512;
    ``temperature`` by the validation figure after two epochs with each of three, the middle one without a slice:
    few long bags need a softer softmax than many short ones.

    Source:
        Liang et al., "Variational autoencoders for collaborative filtering", WWW 2018 (Mult-DAE).
    """

    name: ClassVar[str] = "behaviour_mlp"

    n_factors: int | None = None
    n_hidden: int = 256
    n_epochs: int = 12
    patience: int | None = 3  # epochs without a better validation figure; None: all epochs are run
    batch: int | None = None  # users of a step
    dropout: float = 0.4  # share of a bag that is hidden
    n_negatives: int = 1000  # items of a step beside the hidden ones
    correction: float = 0.8  # of the chance that an item is among those scored; less holds popular items down
    temperature: float | None = None  # of the cosine scores
    learning_rate: float = 0.08  # a step, as a share of a typical entry
    half_life: float = 120.0  # days, in training
    history_half_life: float = 60.0  # days, of the live history
    min_users: int = 3  # takers below which there is no opinion of an item
    n_items: int = 100_000  # the most taken, at most
    n_validation_users: int = 1000  # at most; 0: no validation slice
    temperature_: float = field(init=False, repr=False)
    item_ids_: Ids = field(init=False, repr=False)
    encoder_: Floats = field(init=False, repr=False)
    first_: Floats = field(init=False, repr=False)
    first_bias_: Floats = field(init=False, repr=False)
    second_: Floats = field(init=False, repr=False)
    decoder_: Floats = field(init=False, repr=False)
    bias_: Floats = field(init=False, repr=False)
    losses_: Floats = field(init=False, repr=False)
    figures_: Floats = field(init=False, repr=False)

    @property
    def item_ids(self) -> Ids:
        return self.item_ids_

    def fit(
        self,
        interactions: Interactions,
        catalogue: Catalogue | None = None,
        *,
        seed: int = 0,
        at: float | None = None,
        progress: Progress | None = None,
        checkpoint: Path | None = None,
    ) -> Self:
        """As the protocol says; ``losses_`` and ``figures_`` hold each epoch's loss and validation NDCG@20.

        Args:
            checkpoint: A file written after each epoch. A fit that was stopped goes on from it and ends with the
                same bytes; it stays when the fit is done.
        Raises:
            BadInputError: If there is nothing to learn from, or the checkpoint is of another fit.
            MissingDependencyError: If torch cannot be imported.
        """
        need_interactions(interactions)
        item_ids, bags, since = self._bags(interactions, at)
        with threadpool_limits(limits=threads_for(bags), user_api="blas"):
            rng = generator(seed, "behaviour_mlp slice")
            bags, held = held_out(bags, since, n_users=self.n_validation_users, rng=rng)
            start = self._start(bags, seed)
            plan = self._plan(bags, held, start, seed, progress)
            learnt = train_bag_network(
                bags,
                start,
                plan,
                seed=seed,
                identity=self._identity(bags, held, seed),
                validate=_validation(held, plan.temperature),
                progress=progress,
                checkpoint=checkpoint,
            )
        self.item_ids_, self.temperature_ = item_ids, plan.temperature
        network = BagNetwork.of(learnt.tables, plan.temperature)
        for part in fields(network):
            setattr(self, f"{part.name}_", getattr(network, part.name))
        self.losses_, self.figures_ = np.asarray(learnt.losses), np.asarray(learnt.figures)
        return self

    def _bags(
        self, interactions: Interactions, at: float | None
    ) -> tuple[Ids, sparse.csr_matrix, npt.NDArray[np.float64]]:
        """The items kept, the users' bags of them, and when each entry of the bags was first taken."""
        if not np.all(interactions.weights > 0):
            interactions = interactions.where(interactions.weights > 0)
        ages = interactions.ages(at)
        youngest = np.full(interactions.n_users, np.inf)
        np.minimum.at(youngest, interactions.users, ages)  # only ratios within a bag count, and these never vanish
        faded = interactions.weights * half_life_weights(ages - youngest[interactions.users], self.half_life)
        matrix = interactions.matrix(faded)
        cells = interactions.users.astype(np.int64) * interactions.n_items + interactions.items
        first = np.unique(cells, return_index=True)[1]  # interactions are in order of time
        since = sparse.csr_matrix((first + 1, matrix.indices, matrix.indptr), matrix.shape)
        takers = np.bincount(matrix.indices, minlength=interactions.n_items)
        kept = np.flatnonzero(takers >= min(self.min_users, int(takers.max())))
        if kept.size > self.n_items:
            kept = np.sort(kept[np.lexsort((kept, -takers[kept]))[: self.n_items]])
        bags, since = matrix[:, kept].tocsr(), since[:, kept].tocsr()
        some = np.flatnonzero(np.diff(bags.indptr))
        bags, since = bags[some], since[some]
        sizes = np.diff(bags.indptr)
        shares = bags.data / np.repeat(bags.max(axis=1).toarray().ravel(), sizes)
        bags.data = np.sqrt(np.maximum(shares, LEAST_SHARE)).astype(np.float32)
        return interactions.item_ids[kept], bags, interactions.timestamps[since.data - 1]

    def _start(self, bags: sparse.csr_matrix, seed: int) -> Tables:
        n_users, n_items = bags.shape
        n_factors = self.n_factors or int(min(np.clip(n_users // USERS_A_FACTOR, *FACTORS), n_users, n_items))
        rng = generator(seed, "behaviour_mlp start")
        return start_tables(bags, n_factors=n_factors, n_hidden=self.n_hidden, seed=seed, rng=rng)

    def _plan(
        self, bags: sparse.csr_matrix, held: Slice | None, start: Tables, seed: int, progress: Progress | None
    ) -> BagPlan:
        """The settings given, and what the data says of those left open."""
        batch = self.batch or int(np.clip(np.count_nonzero(np.diff(bags.indptr) >= 2) // BATCHES, 32, 512))
        plan = BagPlan(
            sampling=Sampling(batch, self.dropout, self.n_negatives, self.correction),
            n_epochs=self.n_epochs,
            learning_rate=self.learning_rate,
            temperature=self.temperature or DEFAULT_TEMPERATURE,
            patience=self.patience,
        )
        if self.temperature is not None or held is None:
            return plan

        def alive(done: float, loss: float | None = None) -> None:
            if progress is not None:
                progress(0.0)

        def figure(temperature: float) -> float:
            trial = replace(plan, temperature=temperature, n_epochs=TRIAL_EPOCHS, patience=None)
            validate = _validation(held, temperature)
            figures = train_bag_network(bags, start, trial, seed=seed, validate=validate, progress=alive).figures
            return max(figures, default=0.0)

        return replace(plan, temperature=max(TEMPERATURES, key=figure))

    def _identity(self, bags: sparse.csr_matrix, held: Slice | None, seed: int) -> str:
        """A hash of all that the result depends on."""
        settings = {each.name: getattr(self, each.name) for each in fields(self) if each.init}
        told = hashlib.sha256(json.dumps([settings, seed, bags.shape], sort_keys=True).encode())
        for matrix in (bags,) if held is None else (bags, held.bags, held.hidden):
            for part in (matrix.indptr, matrix.indices, matrix.data):
                told.update(part.tobytes())
        return told.hexdigest()

    def score(self, histories: Sequence[History], items: Items | None = None, at: float | None = None) -> Scores:
        wanted = None if items is None else codes_of(self.item_ids_, items)
        bags = [self._bag(history, at) for history in histories]
        scores = np.full((len(bags), self.item_ids_.size if wanted is None else wanted.size), np.nan, np.float32)
        rows = np.flatnonzero([places.size for places, _ in bags])
        if rows.size == 0:
            return scores
        stacked = _stacked([bags[row] for row in rows], self.item_ids_.size)
        if wanted is None and rows.size == len(bags):
            return self._network.scores(stacked)
        known = np.arange(self.item_ids_.size) if wanted is None else np.flatnonzero(wanted >= 0)
        scores[np.ix_(rows, known)] = self._network.scores(stacked, None if wanted is None else wanted[known])
        return scores

    def terms(self, history: History, items: Items, at: float | None = None) -> list[Terms]:
        """What each item of the history adds at the lengths that the vectors have here, and what is left over.

        On the way around the hidden layer the score is a sum over the history. Through the layer it is shared out
        by integrated gradients along the straight path from no input to this one. The bias, the layer's answer to
        no input and the path's rounding are the remainder.

        Source:
            Sundararajan et al., "Axiomatic attribution for deep networks", ICML 2017.
        """
        wanted = codes_of(self.item_ids_, items)
        places, values = self._bag(history, at)
        if places.size == 0:
            return []
        known = wanted >= 0
        encoder = values[:, None] * self.encoder_[places].astype(np.float64)
        encoder /= float(np.linalg.norm(encoder.sum(axis=0))) or 1.0
        inward = encoder.sum(axis=0)
        first, second = self.first_.astype(np.float64), self.second_.astype(np.float64)
        steps = (np.arange(PATH_STEPS) + 0.5) / PATH_STEPS
        slope = (1.0 - np.tanh(np.outer(steps, inward @ first) + self.first_bias_) ** 2).mean(axis=0)
        length = float(np.linalg.norm(inward + np.tanh(inward @ first + self.first_bias_) @ second)) or 1.0
        points, totals = np.zeros((wanted.size, places.size)), np.zeros(wanted.size)
        outward = self.decoder_[wanted[known]].astype(np.float64)
        outward += (outward @ second.T * slope) @ first.T  # by item, of which there are fewer than in a history
        points[known] = outward @ encoder.T / length
        totals[known] = self._network.scores(_stacked([(places, values)], self.item_ids_.size), wanted[known])[0]
        return [
            Terms("history_item", points, self.name, self.item_ids_[places]),
            Terms("remainder", (totals - points.sum(axis=1))[:, None], self.name),
        ]

    @property
    def _network(self) -> BagNetwork:
        return BagNetwork(**{part.name: getattr(self, f"{part.name}_") for part in fields(BagNetwork)})

    def _bag(self, history: History, at: float | None) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        places, weights = entries_of(history, self.item_ids_, self.history_half_life, at)
        return places, np.sqrt(weights)


def _validation(held: Slice | None, temperature: float) -> Callable[[Tables], float] | None:
    return None if held is None else lambda tables: held.ndcg(BagNetwork.of(tables, temperature))


def _stacked(bags: Sequence[tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]], n_items: int) -> sparse.csr_matrix:
    """Bags as rows of one matrix, shape (n_bags, n_items)."""
    starts = np.cumsum([0, *(places.size for places, _ in bags)])
    places, values = (np.concatenate(parts) for parts in zip(*bags, strict=True))
    return sparse.csr_matrix((values.astype(np.float32), places, starts), shape=(len(bags), n_items))
