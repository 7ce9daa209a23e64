"""What Spark's passes make is what a fit in memory makes, to the byte."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reco_engine.artifacts import load, save
from reco_engine.data.interactions import History, Interactions
from reco_engine.errors import BadInputError, ClusterError
from reco_engine.ranking import recommend
from reco_engine.recommenders import ContentBased, ItemCF, Popularity, UserCF
from reco_engine.spark import Part, Writer, fit, refit_item_cf
from reco_engine.spark import blocks as blocks_module
from tests.reco_engine.conftest import AT, DAY, HISTORY, hash_of
from tests.reco_engine.spark.in_process import InProcess

CF = {"activity": 0.5, "source_exponent": 0.5, "target_exponent": 0.3, "half_life": 60.0, "history_half_life": 60.0}
PLAIN = {**CF, "spectral_weight": 0.0, "n_factors": 8, "n_targets": 7}
RECIPES = {
    "plain": PLAIN,
    "supported": {**PLAIN, "min_support": 4},
    "spectral": {**PLAIN, "spectral_weight": 0.3},
    "supported and spectral": {**PLAIN, "min_support": 3, "spectral_weight": 0.3},
    "without rows": {**PLAIN, "updatable": False},
}


@st.composite
def takings(draw):
    """Few weights and days, so that many pairs tie; some weights are zero, and repeats are common."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, n_users, n_items = draw(st.integers(1, 300)), draw(st.integers(1, 30)), draw(st.integers(1, 25))
    users, items = rng.integers(0, n_users, n), rng.integers(0, n_items, n) * 3
    if draw(st.booleans()):
        users, items = [f"shopper {user}" for user in users], [f"块 {item}" for item in items]
    weights = rng.choice(draw(st.sampled_from([[1.0], [0.0, 0.3, 1.0], [0.1, 0.6, 2.5]])), n)
    weights[0] = 1.0
    times = rng.integers(0, draw(st.sampled_from([1, 90])), n) * DAY
    return Interactions.from_arrays(users, items, times, weights)


def by_passes(model, interactions, cluster, *, catalogue=None, at=AT, sample=None):
    """What a fit over a table stores; the table and the work are gone by then."""
    with tempfile.TemporaryDirectory() as folder:
        table, work = Path(folder) / "table", Path(folder) / "work"
        table.mkdir()
        work.mkdir()
        part = Part.of(interactions)
        writer = Writer(table)
        for rows in np.array_split(np.random.default_rng(len(part)).permutation(len(part)), 3):
            writer.add(Part(part.users[rows], part.items[rows], part.timestamps[rows], part.weights[rows]))
        some = interactions if sample is None else sample
        return hash_of(fit(model, table, cluster, catalogue, sample=some, work=work, at=at, seed=7))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(takings(), st.sampled_from(sorted(RECIPES)), st.integers(0, 9), st.integers(1, 60), st.integers(1, 9))
def test_item_cf_is_the_same_to_the_byte_however_it_is_cut(interactions, recipe, seed, chunk, n_blocks):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks_module, "CHUNK_CELLS", chunk)
        found = by_passes(ItemCF(**RECIPES[recipe]), interactions, InProcess(seed, 3, n_blocks))
    assert found == hash_of(ItemCF(**RECIPES[recipe]).fit(interactions, seed=7, at=AT))


@settings(max_examples=20, deadline=None)
@given(takings(), st.integers(0, 9))
def test_popularity_is_the_same_to_the_byte(interactions, seed):
    found = by_passes(Popularity(30.0), interactions, InProcess(seed))
    assert found == hash_of(Popularity(30.0).fit(interactions, at=AT))


@pytest.mark.parametrize("most", [10**9, 2000])
def test_content_is_the_same_to_the_byte_also_where_it_looks_at_some_users(data, monkeypatch, most):
    interactions, catalogue = data
    monkeypatch.setattr("reco_engine.data.features.MOST_CELLS", most)
    found = by_passes(ContentBased(min_support=2), interactions, InProcess(), catalogue=catalogue)
    assert found == hash_of(ContentBased(min_support=2).fit(interactions, catalogue, seed=7, at=AT))


def test_items_that_the_catalogue_has_and_nobody_took_have_content_and_the_prior_of_half_a_taker(data):
    interactions, catalogue = data
    few = interactions.where(interactions.item_ids[interactions.items] < 20)
    found = by_passes(ContentBased(), few, InProcess(), catalogue=catalogue)
    assert found == hash_of(ContentBased().fit(few, catalogue, seed=7, at=AT))


def test_settings_left_open_are_chosen_by_the_sample(data):
    interactions, _ = data
    found = by_passes(ItemCF(), interactions, InProcess())
    assert found == hash_of(ItemCF().fit(interactions, seed=7, at=AT))


def test_two_shoppers_and_three_items_by_hand(told):
    """a took x twice and y, b took y and z; undamped textbook cosine: x.y = sqrt(2)/(sqrt(2) sqrt(2)) and so on."""
    cosine = ItemCF(0.0, 0.5, 0.5, 1e9, 1e9, 0.0, n_targets=5)
    interactions = Interactions.from_arrays(list("aaabb"), list("xxyyz"), [AT] * 5)
    table, work = told(interactions)
    model = fit(cosine, table, InProcess(), sample=interactions, work=work, at=AT)
    rows = [dict(zip(model.item_ids_[model.targets_[s:e]].tolist(), model.similarities_[s:e].tolist(), strict=True))
            for s, e in zip(model.starts_, model.starts_[1:], strict=False)]  # fmt: skip
    assert model.popularity_.tolist() == [2.0, 2.0, 1.0]
    half = pytest.approx(2**-0.5, rel=1e-6)
    assert rows == [{"y": half}, {"x": half, "z": half}, {"y": half}]


def test_what_was_learnt_is_stored_loaded_listed_and_updated_as_ever(told, tmp_path):
    rng = np.random.default_rng(5)
    before = Interactions.from_arrays(
        rng.integers(0, 40, 600), rng.integers(0, 30, 600), rng.integers(0, 80, 600) * DAY
    )
    later = Interactions.from_arrays(rng.integers(0, 45, 60), rng.integers(0, 33, 60), rng.integers(80, 90, 60) * DAY)
    table, work = told(before)
    save(fit(ItemCF(**PLAIN), table, InProcess(), sample=before, work=work, at=AT), tmp_path / "artifact")
    model, usual = load(tmp_path / "artifact"), ItemCF(**PLAIN).fit(before, at=AT)
    history = History([3, 7], [80 * DAY, 85 * DAY])
    assert recommend(model, [history], 10, at=AT) == recommend(usual, [history], 10, at=AT)
    assert hash_of(model.update(later)) == hash_of(usual.update(later))


def test_new_events_under_a_live_model_give_what_it_gives_in_memory(told, data):
    interactions, _ = data
    live = ItemCF(**{**PLAIN, "spectral_weight": 0.2}).fit(
        interactions.where(interactions.timestamps < 80 * DAY), at=AT
    )
    table, work = told(interactions)
    assert hash_of(refit_item_cf(live, table, InProcess(), work=work)) == hash_of(live.renewed(interactions))


def test_kinds_that_do_not_learn_from_spark_are_named_with_those_that_do(told, data):
    table, work = told(data[0])
    with pytest.raises(BadInputError, match="user_cf does not learn from Spark; popularity, item_cf, content do"):
        fit(UserCF(), table, InProcess(), sample=data[0], work=work)


@pytest.mark.parametrize("recipe", ["plain", "supported", "supported and spectral"])
def test_spark_makes_the_same_item_cf(spark, data, recipe):
    model = ItemCF(**RECIPES[recipe])
    assert by_passes(model, data[0], spark) == hash_of(ItemCF(**RECIPES[recipe]).fit(data[0], seed=7, at=AT))


def test_spark_makes_the_same_popularity_of_ids_that_are_words(spark):
    rng = np.random.default_rng(2)
    users = [f"u{n}" for n in rng.integers(0, 50, 400)]
    items = [f"ü{n}" if n % 2 else f"商品{n}" for n in rng.integers(0, 30, 400)]
    interactions = Interactions.from_arrays(users, items, rng.integers(0, 90, 400) * DAY, rng.random(400))
    assert by_passes(Popularity(), interactions, spark) == hash_of(Popularity().fit(interactions, at=AT))


def test_spark_makes_the_same_content(spark, data):
    interactions, catalogue = data
    found = by_passes(ContentBased(), interactions, spark, catalogue=catalogue)
    assert found == hash_of(ContentBased().fit(interactions, catalogue, seed=7, at=AT))


def test_a_table_without_interactions_is_refused(spark, told):
    nothing = Interactions.from_arrays([], [], [])
    weightless = Interactions.from_arrays([1], [2], [AT], [0.0])
    for name, interactions in (("empty", nothing), ("weightless", weightless)):
        table, work = told(interactions, name=name)
        with pytest.raises(BadInputError, match="nothing to learn from"):
            fit(Popularity(), table, spark, sample=interactions, work=work)


def test_what_goes_wrong_in_a_task_is_told_in_its_own_words(spark, told, data):
    table, work = told(data[0])
    with pytest.raises(ClusterError, match="half_life must be above zero days, not -1"):
        fit(Popularity(-1.0), table, spark, sample=data[0], work=work)


def test_whoever_listens_may_end_a_fit(spark, told, data):
    class Enough(Exception):
        pass

    def listen(done, loss=None):
        raise Enough

    table, work = told(data[0])
    with pytest.raises(Enough):
        fit(Popularity(), table, spark, sample=data[0], work=work, progress=listen)
    assert hash_of(fit(Popularity(), table, spark, sample=data[0], work=_empty(work), at=AT)) == hash_of(
        Popularity().fit(data[0], at=AT)
    )


def _empty(work):
    again = work.with_name("again")
    again.mkdir()
    return again


def test_a_live_history_is_answered_by_what_spark_taught(spark, told, data):
    table, work = told(data[0])
    model = fit(Popularity(), table, spark, sample=data[0], work=work, at=AT)
    assert recommend(model, [HISTORY], 5, at=AT) == recommend(Popularity().fit(data[0], at=AT), [HISTORY], 5, at=AT)
