"""The blend learns whom to trust."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.artifacts import Manifest, load, save
from reco_engine.data.interactions import Interactions
from reco_engine.ranking import Blend, Silence
from reco_engine.ranking.fitting import best_weights, fit_blend, listwise_weights
from reco_engine.recommenders import ItemCF, Popularity
from tests.reco_engine.conftest import AT


def test_the_part_that_finds_what_was_taken_gets_the_weight():
    rng = np.random.default_rng(0)
    relevant = [np.arange(20) == rng.integers(20) for _ in range(60)]
    scores = [np.stack([rng.random(20), new + 0.2 * rng.random(20)], axis=1) for new in relevant]
    noise, oracle = listwise_weights(scores, relevant)
    assert noise + oracle == pytest.approx(1.0)
    assert oracle > 3 * noise >= 0


def test_two_parts_that_say_the_same_share_the_weight():
    rng = np.random.default_rng(0)
    relevant = [np.arange(20) == rng.integers(20) for _ in range(60)]
    scores = [np.repeat((new + 0.2 * rng.random(20))[:, None], 2, axis=1) for new in relevant]
    assert listwise_weights(scores, relevant) == pytest.approx([0.5, 0.5], abs=1e-3)


def lists(n, rng):
    """Lists of twenty items of which one is relevant, and two parts that each know half of why."""
    relevant = [np.arange(20) == rng.integers(20) for _ in range(n)]
    halves = [np.stack([0.6 * new + rng.random(20), 0.6 * new + rng.random(20)], axis=1) for new in relevant]
    return halves, relevant


def test_parts_that_know_different_things_are_blended():
    halves, relevant = lists(300, np.random.default_rng(0))
    assert best_weights(halves, relevant, np.asarray([0.95, 0.05])) == pytest.approx([0.5, 0.5], abs=0.2)


def test_what_ranks_the_same_keeps_its_usual_weight():
    halves, relevant = lists(300, np.random.default_rng(0))
    scores = [np.stack([each[:, 0], each[:, 0] ** 3, np.full(20, 0.5)], axis=1) for each in halves]
    usual = np.asarray([0.5, 0.3, 0.2])
    assert best_weights(scores, relevant, usual).tolist() == usual.tolist()


def test_a_part_that_does_harm_goes_out():
    rng = np.random.default_rng(0)
    halves, relevant = lists(300, rng)
    scores = [np.stack([each[:, 0], 2.0 * rng.random(20)], axis=1) for each in halves]
    good, bad = best_weights(scores, relevant, np.asarray([0.5, 0.5]))
    assert good + bad == pytest.approx(1.0)
    assert bad < 0.2


def test_the_blend_weighs_undated_data_by_hidden_items():
    """Two groups, each with a shelf of its own: what shoppers take goes with it, and popularity knows nothing."""
    rng = np.random.default_rng(3)
    users = np.repeat(np.arange(120), 8)
    items = rng.integers(0, 20, users.size) + 20 * (users % 2)
    factories = {"popularity": Popularity, "item_cf": lambda: ItemCF(0.5, 0.5, 0.3, spectral_weight=0.0)}
    blend = fit_blend(factories, Interactions.from_arrays(users, items), None)
    some = blend.shares(5, factories)
    assert "item_cf" in some
    assert some["item_cf"].weight > 0.5


def test_while_a_part_is_fitted_the_blend_tells_how_far_it_has_come(data):
    heard = []
    fit_blend({"item_cf": ItemCF, "popularity": Popularity}, *data, at=AT, progress=heard.append)
    assert heard == sorted(heard)
    assert [done for done in heard if 0.0 < done < 0.3]
    assert heard[-1] == 1.0


def test_what_a_newcomer_does_counts_even_where_popularity_found_more():
    """Everybody takes the same few things next, whatever they took before."""
    users = np.repeat(np.arange(100), 12)
    days = np.tile(np.arange(12), 100)
    rng = np.random.default_rng(0)
    items = np.where(days < 8, 10 + rng.integers(0, 60, users.size), days)
    late = Interactions.from_arrays(
        [*users, *range(100, 160)],
        [*items, *(8 + n % 4 for n in range(60))],
        [*(days * 86_400.0), *(0.0 for _ in range(60))],
    )
    factories = {"popularity": Popularity, "item_cf": lambda: ItemCF(0.5, 0.5, 0.3, 180.0, 60.0, 0.0)}
    shares = fit_blend(factories, late, None).shares(3, factories)
    assert shares["popularity"].weight > 0.5
    assert shares["item_cf"].weight > 0.2


def test_the_blend_keeps_how_likely_its_lists_are_taken_and_brings_it_back_from_disk(tmp_path):
    """Each user took four of the five items of their shelf, and takes the fifth: the best of a list is the one."""
    rng = np.random.default_rng(0)
    users = np.repeat(np.arange(300), 5)
    items = np.concatenate([5 * (n % 12) + rng.permutation(5) for n in range(300)])
    days = np.tile([0, 1, 2, 3, 10], 300)
    factories = {"popularity": Popularity, "item_cf": lambda: ItemCF(0.5, 0.5, 0.3, 180.0, 60.0, 0.0)}
    blend = fit_blend(factories, Interactions.from_arrays(users, items, days * 86_400.0), None)
    save(blend, tmp_path / "a")
    silence = Silence.of(load(tmp_path / "a"))
    assert silence.knows(4)
    low, high = silence.chances(np.asarray([0.0, 1.0]), 4)
    assert low < 0.05
    assert high > 0.5


def test_a_blend_that_was_stored_without_chances_serves_and_leaves_nothing_out(tmp_path):
    save(Blend.default({"popularity": 1.0}), tmp_path / "a")
    manifest = Manifest.read(tmp_path / "a")
    for name in [name for name in manifest.files if name.startswith("silence_")]:
        (tmp_path / "a" / name).unlink()
        del manifest.files[name]
    (tmp_path / "a" / "manifest.json").write_bytes(manifest.to_bytes())
    back = load(tmp_path / "a")
    assert back.shares(0, ["popularity"])["popularity"].weight == 1.0
    assert not Silence.of(back).knows(0)
