"""Missing values: each column filled in its own way, and the report says how many."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeRegressor
from threadpoolctl import threadpool_limits

from reco_engine.data.filling import Drop, Interpolation, Mean, Prediction
from reco_engine.data.missing import ColumnReport, MissingValues
from reco_engine.errors import BadInputError

NAN = math.nan


@pytest.fixture(autouse=True)
def one_thread():
    """Small trees on several threads mostly wait for each other."""
    with threadpool_limits(1):
        yield


def filled(way, values, **others):
    treatment = MissingValues({"price": way})
    columns = {"price": values, **others}
    result, _, report = treatment.fit(columns).apply(columns)
    return result["price"].tolist(), report.columns["price"]


def test_rows_are_dropped_from_all_columns():
    columns = {"price": [1.0, NAN, 3.0], "item": ["a", "b", "c"]}
    result, keep, report = MissingValues({"price": Drop()}).fit(columns).apply(columns)
    assert keep.tolist() == [True, False, True]
    assert result["item"].tolist() == ["a", "c"]
    assert (report.rows_in, report.rows_out) == (3, 2)
    assert report.columns == {"price": ColumnReport("drop", missing=1, filled=0, dropped=1, left=0)}


def test_the_mean_of_what_is_known():
    values, report = filled(Mean(), [1.0, NAN, 5.0])
    assert values == [1, 3, 5]
    assert report == ColumnReport("mean", missing=1, filled=1, dropped=0, left=0)


def test_between_two_prices_lies_the_line_and_beyond_the_ends_the_nearest():
    values, _ = filled(Interpolation(), [NAN, 10.0, NAN, 20.0, NAN], timestamps=[0, 10, 12, 20, 99])
    assert values == [10, 10, 12, 20, 20]


def test_each_item_has_a_line_of_its_own_and_rows_may_come_in_any_order():
    values, report = filled(
        Interpolation(by="item"),
        [4.0, NAN, 100.0, 2.0, NAN, NAN],
        timestamps=[30, 20, 15, 10, 20, 20],
        item=["a", "a", "b", "a", "b", "never priced"],
    )
    assert values[:5] == [4, 3, 100, 2, 100]
    assert math.isnan(values[5])
    assert report == ColumnReport("interpolation", missing=3, filled=2, dropped=0, left=1)


def test_two_prices_of_one_moment_count_as_their_mean():
    assert filled(Interpolation(), [1.0, 3.0, NAN], timestamps=[5, 5, 5])[0] == [1, 3, 2]


def test_interpolation_agrees_with_numpy():
    rng = np.random.default_rng(3)
    times, values = rng.permutation(200).astype(float), rng.random(200)
    values[rng.random(200) < 0.4] = NAN
    known = ~np.isnan(values)
    order = np.argsort(times[known])
    expected = np.where(known, values, np.interp(times, times[known][order], values[known][order]))
    assert filled(Interpolation(), values, timestamps=times)[0] == pytest.approx(expected.tolist())


def test_a_model_predicts_from_other_columns():
    way = Prediction(of=("pages", "weight"), model=LinearRegression())
    pages, weight = np.asarray([1.0, 2.0, 3.0, 4.0, 9.0]), np.asarray([2.0, 1.0, 5.0, 0.0, 1.0])
    price = 3 * pages - 2 * weight + 1
    given = price.copy()
    given[4] = NAN
    values, report = filled(way, given, pages=pages, weight=weight)
    assert values == pytest.approx(price.tolist())
    assert report == ColumnReport("prediction", missing=1, filled=1, dropped=0, left=0)


def test_by_default_trees_predict_and_take_unknown_values_as_they_are():
    kind = np.tile([0.0, 1.0, NAN], 40)
    price = np.tile([5.0, 7.0, 9.0], 40)
    price[:3] = NAN
    values, _ = filled(Prediction(of=("kind",)), price, kind=kind)
    assert values[:3] == pytest.approx([5, 7, 9], abs=0.1)


def test_a_model_with_a_seed_gives_the_same_twice_and_is_left_as_it_was():
    model = DecisionTreeRegressor(max_features=1, max_depth=2)
    rng = np.random.default_rng(0)
    columns = {"a": rng.random(60), "b": rng.random(60), "price": np.where(np.arange(60) < 9, NAN, rng.random(60))}
    treatment = MissingValues({"price": Prediction(of=("a", "b"), model=model)})
    first, second = (treatment.fit(columns, seed=7).apply(columns)[0]["price"] for _ in range(2))
    assert first.tolist() == second.tolist()
    assert model.random_state is None
    assert not hasattr(model, "tree_")


def test_live_values_are_filled_by_what_training_taught():
    ways = {"price": Interpolation(by="item"), "rating": Mean(), "weight": Prediction(of=("price",))}
    training = {
        "price": [10.0, 20.0],
        "timestamps": [0.0, 10.0],
        "item": ["a", "a"],
        "rating": [2.0, 4.0],
        "weight": [7.0, 7.0],
    }
    treatment = MissingValues(ways).fit(training)
    live = {"price": [NAN], "timestamps": [5.0], "item": ["a"], "rating": [NAN], "weight": [NAN]}
    result, _, _ = treatment.apply(live)
    assert (result["price"].tolist(), result["rating"].tolist(), result["weight"].tolist()) == ([15], [3], [7])


def test_a_row_that_is_dropped_teaches_nothing():
    columns = {"a": [1.0, NAN, 3.0, 5.0], "c": [1.0, 1.0, 1.0, NAN]}
    treatment = MissingValues({"a": Mean(), "c": Drop()}).fit(columns)
    assert treatment.apply(columns)[0]["a"].tolist() == [1, 2, 3]


def test_a_model_that_takes_no_unknown_values_is_named_with_its_column():
    columns = {"price": [1.0, 2.0, NAN], "pages": [1.0, NAN, 3.0]}
    with pytest.raises(BadInputError, match="'price' cannot be predicted by LinearRegression"):
        MissingValues({"price": Prediction(of=("pages",), model=LinearRegression())}).fit(columns)
    treatment = MissingValues({"price": Prediction(of=("pages",), model=LinearRegression())})
    treatment.fit({"price": [1.0, 2.0], "pages": [1.0, 2.0]})
    with pytest.raises(BadInputError, match="cannot be predicted by LinearRegression"):
        treatment.apply({"price": [NAN], "pages": [NAN]})


@pytest.mark.parametrize("way", [Mean(), Interpolation(), Prediction(of=("timestamps",))])
def test_where_nothing_is_known_nothing_is_made_up(way):
    values, report = filled(way, [NAN, NAN], timestamps=[1, 2])
    assert all(map(math.isnan, values))
    assert report.left == 2


@pytest.mark.parametrize("way", [Drop(), Mean(), Interpolation(), Prediction(of=("timestamps",), model=None)])
def test_a_batch_of_no_rows_stays_one(way):
    training = {"price": [1.0, 2.0], "timestamps": [1.0, 2.0]}
    treatment = MissingValues({"price": way}).fit(training)
    result, keep, report = treatment.apply({"price": [], "timestamps": []})
    assert result["price"].size == keep.size == report.rows_in == 0


@pytest.mark.parametrize(
    ("ways", "columns", "message"),
    [
        ({"price": Mean()}, {"weight": [1.0]}, "no column 'price'; there are 'weight'"),
        ({"price": Mean()}, {"price": ["dear"]}, "'price' must be numbers"),
        ({"price": Mean()}, {"price": [math.inf]}, "'price' has infinite values"),
        ({"price": Mean()}, {"price": [1.0], "item": ["a", "b"]}, "one length"),
        ({"price": Mean()}, {"price": [[1.0]]}, "flat"),
        ({"price": Interpolation()}, {"price": [1.0]}, "no column 'timestamps'"),
        ({"price": Interpolation()}, {"price": [1.0], "timestamps": [NAN]}, "'timestamps' must have no missing"),
        ({"price": Interpolation(by="item")}, {"price": [1.0], "timestamps": [1.0]}, "no column 'item'"),
        ({"price": Prediction(of=("pages",))}, {"price": [1.0]}, "no column 'pages'"),
    ],
)
def test_a_column_that_is_not_as_it_must_be_is_named(ways, columns, message):
    with pytest.raises(BadInputError, match=message):
        MissingValues(ways).fit(columns)


def test_the_report_can_be_kept_as_json():
    _, _, report = MissingValues({"a": Mean()}).fit({"a": [1.0, NAN]}).apply({"a": [1.0, NAN]})
    assert json.loads(json.dumps(report.as_dict()))["columns"]["a"]["filled"] == 1
