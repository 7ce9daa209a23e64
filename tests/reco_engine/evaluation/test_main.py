"""The command: figures by hand, and every wrong thing given is named with its fix."""

from __future__ import annotations

import datetime as dt
import json
import math
import sys

import numpy as np
import pytest

from reco_engine.evaluation.__main__ import main

from .conftest import SPLIT

DAY = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)


def measured(capsys, *argv):
    """The JSON and the table of one run on ``popularity`` alone."""
    assert main([*argv, "--recommenders", "popularity"]) == 0
    report, table = capsys.readouterr().out.split("\n\n")
    return json.loads(report), table


def refused(capsys, *argv):
    """What a run says that ends with status 2."""
    assert main(list(argv)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def test_popularity_on_a_split_made_elsewhere_by_hand(npz, capsys):
    report, table = measured(capsys, npz(**SPLIT), "--at-k", "2")
    # shopper 1 is shown 30, which they took; 2 is shown 20 and 30, and took 20 and 40, which nobody had;
    # 3 took nothing new and 9 has no history
    assert report["data"] == {
        "interactions": 5, "users": 3, "items": 3, "measured_users": 2, "relevant_pairs": 3,
        "dated": False, "repeats": False,
    }  # fmt: skip
    figures = report["recommenders"]["popularity"]
    means = {name: interval["mean"] for name, interval in figures["metrics"].items()}
    assert means == pytest.approx({
        "ndcg": (1 + 1 / (1 + 1 / math.log2(3))) / 2,
        "recall": 0.75,
        "precision": 0.5,
        "hit_rate": 1,
        "mrr": 1,
        "map": 0.75,
        "novelty": math.log2(3),
        "diversity": 1,  # of shopper 2's list, whose two items no shopper shares
        "popularity_bias": (-1 / 2 - 2 / 3) / 2,
    })  # fmt: skip
    assert figures["coverage"] == pytest.approx(2 / 3)
    assert figures["gini"] == pytest.approx(4 / 9)  # lists show the three items 0, 1 and 2 times
    low, high = (figures["metrics"]["ndcg"][bound] for bound in ("low", "high"))
    assert low == pytest.approx(1 / (1 + 1 / math.log2(3)))
    assert high == 1
    head, _, row = table.strip().splitlines()
    cells = dict(zip(head.split(" | "), row.split(" | "), strict=True))
    assert cells["recall@2"] == "0.7500"
    assert cells["miscalibration"] == "-"


def test_dated_parquet_is_split_by_time_under_its_own_column_names(parquet, capsys):
    path = parquet(
        who=["u", "v", "v", "u", "v"], what=["a", "a", "b", "b", "c"],
        when=[DAY + dt.timedelta(days=days) for days in (0, 1, 2, 9, 9)],
    )  # fmt: skip
    columns = ["--user-column", "who", "--item-column", "what", "--timestamp-column", "when"]
    report, _ = measured(capsys, path, *columns, "--test-share", "0.4")
    # u took b anew and is shown it; v took c, which nobody can know
    assert report["data"]["dated"]
    assert report["data"]["measured_users"] == 2
    assert report["recommenders"]["popularity"]["metrics"]["recall"]["mean"] == 0.5


def test_asking_for_repeats_measures_what_is_bought_again(parquet, capsys):
    path = parquet(user=["u", "u", "u"], item=["a", "b", "a"], timestamp=[0, 86_400, 864_000], weight=[1, 1, 1])
    assert "no user has both" in refused(capsys, path, "--test-share", "0.3")
    argv = [path, "--test-share", "0.3", "--repeats", "--recommenders", "buy_again", "--json", path + ".json"]
    assert main(argv) == 0
    with open(path + ".json") as file:
        assert json.load(file)["recommenders"]["buy_again"]["metrics"]["recall"]["mean"] == 1
    assert capsys.readouterr().out.startswith("| recommender |")


def test_undated_data_hides_the_same_items_for_the_same_seed(npz, capsys):
    rng = np.random.default_rng(0)
    path = npz(users=rng.integers(0, 30, 400), items=rng.integers(0, 20, 400), ratings=rng.integers(1, 6, 400))
    one, two, other = (
        measured(capsys, path, "--seed", seed, "--users", "9")[0]["recommenders"]["popularity"]["metrics"]
        for seed in ("1", "1", "2")
    )
    assert one == two
    assert one != other


def test_a_recommender_that_cannot_learn_from_the_data_is_skipped_with_its_words(npz, capsys):
    assert main([npz(**SPLIT), "--recommenders", "popularity,content,buy_again"]) == 0
    out = capsys.readouterr().out
    skipped = json.loads(out.split("\n\n")[0])["skipped"]
    assert skipped.keys() == {"content", "buy_again"}
    assert "catalogue" in skipped["content"]
    assert "repeats" in skipped["buy_again"]
    assert "content was skipped: catalogue" in out


def test_with_a_catalogue_content_is_measured_and_lists_have_calibration(npz, parquet, capsys):
    catalogue = parquet(
        "goods.parquet", item=[10, 20, 30, 40], text=["red tea", "green tea", None, "blue tea"],
        category=["Drinks > Tea", "Drinks", None, "Food"], brand=["A", None, "B", "A"], price=[1.0, None, 3.0, 2.0],
    )  # fmt: skip
    assert main([npz(**SPLIT), "--recommenders", "popularity,content", "--catalogue", catalogue]) == 0
    report = json.loads(capsys.readouterr().out.split("\n\n")[0])
    assert report["data"]["items"] == 4
    content = report["recommenders"]["content"]
    assert content["metrics"]["miscalibration"]["mean"] >= 0
    assert content["ndcg_over_baseline"]["baseline"] == "popularity"
    difference = content["metrics"]["ndcg"]["mean"] - report["recommenders"]["popularity"]["metrics"]["ndcg"]["mean"]
    assert content["ndcg_over_baseline"]["mean"] == pytest.approx(difference)


def test_settings_given_are_used_and_reported(npz, capsys):
    report, _ = measured(capsys, npz(**SPLIT), "--setting", "popularity.half_life=7")
    assert report["recommenders"]["popularity"]["settings"] == {"half_life": 7}


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_plot_is_drawn_where_it_was_asked_for(npz, capsys, tmp_path, ending):
    measured(capsys, npz(**SPLIT), "--plot", str(tmp_path / f"quality.{ending}"))
    drawn = (tmp_path / f"quality.{ending}").read_bytes()
    assert drawn.startswith(b"\x89PNG") if ending == "png" else b"<svg" in drawn


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--recommenders", "magic"], "no recommender 'magic'; there are popularity"),
        (["--setting", "popularity.speed=1"], "popularity has no setting 'speed'; it has half_life"),
        (["--setting", "hybrid.parts=1"], "hybrid has no setting 'parts'"),
        (["--setting", "half_life=7"], "RECOMMENDER.SETTING=VALUE"),
        (["--recommenders", "content"], "no recommender could be measured: content: catalogue"),
        (["--recommenders", ","], "none was named"),
        (["--recommenders", "popularity", "--json", "/no/such/folder/x"], "JSON cannot be written"),
        (["--catalogue", "nowhere.parquet"], "no file nowhere.parquet"),
    ],
)
def test_a_wrong_option_is_named(npz, capsys, extra, message):
    assert message in refused(capsys, npz(**SPLIT), *extra)


def test_a_plot_that_cannot_be_written_is_said(npz, capsys):
    argv = [npz(**SPLIT), "--recommenders", "popularity", "--plot", "/no/such/folder/x.png"]
    assert main(argv) == 2
    assert "plot cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("k", ["0", "-3", "many"])
def test_a_list_of_no_items_is_refused_with_status_2(k):
    with pytest.raises(SystemExit) as stopped:
        main(["x.npz", "--at-k", k])
    assert stopped.value.code == 2


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"users": [1], "items": [1, 2]}, "items must have one value per user"),
        ({"users": [1.5], "items": [1]}, "column users must be whole numbers or strings"),
        ({"people": [1]}, "missing: train_users, train_items, test_users, test_items; it has people"),
        ({"users": [1, 2], "items": [1, 2], "timestamps": [1.7e12, 1.8e12]}, "unix seconds"),
        ({"users": [1], "items": [1], "weights": [math.nan]}, "column weights has missing or infinite values"),
        ({"users": [1], "items": [1], "ratings": ["good"]}, "column ratings must be numbers"),
        ({**SPLIT, "test_items": [1]}, "test_items must have one value per test user"),
        ({**SPLIT, "test_items": list("abcde")}, "all integers or all strings"),
        ({**SPLIT, "test_users": [7] * 5}, "no user has both"),
        ({"users": [1, 2], "items": [1, 2], "timestamps": [5, 5]}, "do not leave anything before"),
        ({"users": [], "items": []}, "column users has no rows"),
    ],
)
def test_a_wrong_array_is_named_with_the_fix(npz, capsys, arrays, message):
    assert message in refused(capsys, npz(**arrays), "--recommenders", "popularity")


@pytest.mark.parametrize("share", ["0", "1", "-1"])
def test_a_share_that_leaves_nothing_on_one_side_is_refused(npz, capsys, share):
    assert "between 0 and 1" in refused(capsys, npz(users=[1], items=[1]), "--test-share", share)


@pytest.mark.parametrize(
    ("columns", "argv", "message"),
    [
        ({"user": [1], "product": [2]}, [], "no column 'item' for the item; it has user, product"),
        ({"user": [1], "item": [2]}, ["--weight-column", "amount"], "no column 'amount' for the weight"),
        ({"user": [1, None], "item": [2, 2]}, [], "column users must be whole numbers or strings without missing"),
        ({"user": ["u", None], "item": [2, 2]}, [], "column users must be whole numbers or strings without missing"),
        ({"user": [1, 2], "item": [2, 2], "timestamp": [DAY, None]}, [], "column timestamps has missing"),
    ],
)
def test_a_wrong_parquet_column_is_named_with_the_fix(parquet, capsys, columns, argv, message):
    assert message in refused(capsys, parquet(**columns), *argv)


@pytest.mark.parametrize(
    ("name", "message"),
    [("x.csv", "must be a .parquet or .npz"), ("x.npz", "not an npz"), ("x.parquet", "not a readable Parquet")],
)
def test_a_file_that_is_something_else_is_refused(tmp_path, capsys, name, message):
    (tmp_path / name).write_bytes(b"user,item\n1,2\n")
    assert message in refused(capsys, str(tmp_path / name))


def test_a_file_that_is_not_there_is_refused(capsys):
    assert "there is no file nowhere.npz" in refused(capsys, "nowhere.npz")


def test_a_catalogue_without_items_is_refused(npz, parquet, capsys):
    goods = parquet("goods.parquet", text=["tea"])
    assert "no column 'item'" in refused(capsys, npz(**SPLIT), "--catalogue", goods)


@pytest.mark.parametrize(("missing", "argv"), [("pyarrow", []), ("matplotlib", ["--plot", "x.png"])])
def test_a_package_that_is_not_installed_is_named(parquet, capsys, monkeypatch, missing, argv):
    path = parquet(user=[1], item=[1])
    monkeypatch.setitem(sys.modules, missing, None)
    assert f"needs {missing}: pip install shop-reco[science]" in refused(capsys, path, *argv)
