"""Few shoppers who do much to one item are named; many who take a new one are not."""

from __future__ import annotations

import numpy as np
import pytest

from reco_engine.data.interactions import Interactions
from reco_engine.data.surges import surges
from reco_engine.errors import BadInputError

DAY = 86_400.0
NOW = 100 * DAY
TARGET = 7


def trade(rng):
    """A hundred days of four hundred shoppers who take a hundred items alike: no item stands out."""
    size = 20_000
    return [rng.integers(0, 400, size), rng.integers(0, 100, size), NOW - rng.uniform(0, 100 * DAY, size)]


def shop(*more):
    """Every day's trade, and rows of (users, item, days ago)."""
    rng = np.random.default_rng(3)
    users, items, times = trade(rng)
    for who, item, days in more:
        users = np.concatenate([users, who])
        items = np.concatenate([items, np.full(len(who), item)])
        times = np.concatenate([times, NOW - rng.uniform(0, days * DAY, len(who))])
    return Interactions.from_arrays(users, items, times)


def crowd(n_shoppers, each, first=1000):
    return np.repeat(np.arange(first, first + n_shoppers), each)


def test_every_days_trade_has_none():
    assert surges(shop(), at=NOW) == []


def test_an_item_that_a_few_pushed_is_named_with_what_they_did():
    (surge,) = surges(shop((crowd(4, 60), TARGET, 1.0)), at=NOW)
    assert (surge.item, surge.days, surge.buyers) == (TARGET, 1.0, surge.buyers)
    assert 4 <= surge.buyers <= 10
    assert surge.times > 10
    assert f"Item {TARGET} has" in surge.why
    assert f"is only {surge.buyers}." in surge.why


def test_a_slower_push_shows_in_a_longer_window():
    (surge,) = surges(shop((crowd(6, 100), 500, 6.0)), at=NOW, windows=(7.0, 28.0))
    assert (surge.item, surge.days, surge.buyers, surge.amount) == (500, 7.0, 6, 600.0)
    assert surge.share_before == 0.0


def test_a_launch_that_many_take_is_none():
    assert surges(shop((crowd(300, 2), 500, 7.0)), at=NOW) == []
    assert surges(shop((crowd(150, 8), 500, 7.0)), at=NOW) == []  # much each, but many


def test_few_who_do_as_much_as_anybody_are_none():
    assert surges(shop((crowd(18, 2), 500, 1.0)), at=NOW, least=1.0, times=2.0) == []


def test_what_moves_no_list_is_none():
    once = shop((crowd(1, 19), 500, 1.0))
    assert surges(once, at=NOW, times=5.0) == []
    assert [surge.item for surge in surges(once, at=NOW, times=5.0, least=19.0)] == [500]


def test_what_is_not_among_the_most_taken_is_none():
    pushed = (crowd(4, 60), 500, 1.0)
    hits = [(crowd(250, 1, first=5000), 600 + n, 1.0) for n in range(20)]
    assert surges(shop(pushed, *hits), at=NOW, windows=(1.0,), times=5.0) == []
    assert [surge.item for surge in surges(shop(pushed, *hits), at=NOW, windows=(1.0,), times=5.0, top=21)] == [500]


def test_what_a_few_always_do_much_of_is_no_surge():
    regulars = [(crowd(5, 400), 500, 100.0)]
    assert surges(shop(*regulars), at=NOW) == []


def test_what_comes_after_the_instant_is_left_out():
    assert surges(shop((crowd(4, 60), TARGET, 1.0)), at=NOW - 2 * DAY) == []


def test_without_a_past_or_dates_nothing_can_have_risen():
    assert surges(Interactions.from_arrays(crowd(2, 60), np.zeros(120, dtype=int), np.zeros(120))) == []
    assert surges(Interactions.from_arrays(crowd(2, 60), np.zeros(120, dtype=int))) == []


@pytest.mark.parametrize("setting", ["times", "least", "few", "few_share", "each", "top", "top_share"])
def test_settings_must_be_above_zero(setting):
    with pytest.raises(BadInputError, match="above zero"):
        surges(shop(), at=NOW, **{setting: 0})
