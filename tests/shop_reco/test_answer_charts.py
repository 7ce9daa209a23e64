"""What the admin's first page says of answers."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop_reco.answer_charts import answers_board, bar, verdict
from shop_reco.recommendations.reading import Rate
from tests.shop_reco.recommendations.test_reading import count, keep


def test_a_bar_is_as_long_as_its_rate_with_its_interval_on_it():
    drawn = bar("Clicks", "", Rate(0.1, 0.05, 0.15), 0.2)
    assert (drawn.width, drawn.low, drawn.reach) == (50, 25, 50)
    assert drawn.text == "10.0 (95%: 5.0 to 15.0)"
    assert bar("Clicks", "", Rate(0.1, -0.1, 0.2), 0.2).low == 0
    assert bar("Clicks", "", Rate(0.1), 0.2).text == "10.0"


@pytest.mark.parametrize(
    ("rate", "mood", "text"),
    [
        (Rate(0.02, 0.01, 0.03), "good", "2.0 more clicks per 100 lists (95%: 1.0 to 3.0)."),
        (Rate(-0.02, -0.03, -0.01), "bad", "2.0 fewer clicks per 100 lists (95%: -3.0 to -1.0)."),
        (Rate(0.02, -0.01, 0.05), "busy", "No difference in clicks beyond chance (95%: -1.0 to 5.0 per 100 lists)."),
        (Rate(0.02), "busy", "Too few clicks so far to tell a difference."),
    ],
)
def test_a_difference_is_told_with_its_doubt(rate, mood, text):
    told = verdict(rate, "clicks")
    assert (told.mood, told.text) == (mood, text)


def test_the_page_says_what_personal_lists_do_and_reads_no_event_for_it(staff):
    keep(
        count({k: (10, 10, 3 + k % 2, 1) for k in range(40)}),
        count({k: (10, 10, 3 + k % 2, 1) for k in range(40)}, recommender="item_cf"),
        count({k: (10, 10, 1 + k % 2, 1) for k in range(40, 60)}, arm="control"),
    )
    with CaptureQueriesContext(
        connection,
    ) as asked:
        answers_board()
    assert len(asked) == 3
    assert not any("reco_events" in query["sql"] or "reco_recommendations_slate" in query["sql"] for query in asked)
    page = staff.get("/admin/").content.decode()
    assert "20.0 more clicks per 100 lists" in page
    assert "Item-based CF" in page
    assert "400 personal lists, 200 of the control share." in page


def test_the_page_says_why_there_is_nothing_to_compare(staff):
    page = staff.get("/admin/").content.decode()
    assert "Nothing was counted yet" in page
    assert "No list of a control share was counted yet" in page
    keep(count(dict.fromkeys(range(9), (9, 9, 1, 1))), count(dict.fromkeys(range(4), (9, 9, 1, 1)), arm="control"))
    assert "Picked for you: fewer than 5 shoppers" in staff.get("/admin/").content.decode()
