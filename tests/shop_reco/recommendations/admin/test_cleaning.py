"""Staff see what trainings left out: bars by rule, over the last runs and of the last one."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid

from shop_reco.events.drafts import EventDraft
from shop_reco.events.imports import import_events
from shop_reco.privacy.services import erase_shopper
from shop_reco.recommendations.admin.cleaning import CHART, chart_of_runs, report_of
from shop_reco.recommendations.models import TrainingRun
from shop_reco.recommendations.services import request_training
from shop_reco.recommendations.training import run_next

RUNS = "/admin/reco_recommendations/trainingrun/"


def rule(name, dropped=0, changed=0, examples=()):
    return {"name": name, "dropped": dropped, "changed": changed, "examples": list(examples)}


def run_with(*rules, rows_in=100, **report):
    told = {"rows_in": rows_in, "rows_out": rows_in - sum(each["dropped"] for each in rules), "rules": list(rules)}
    return TrainingRun(recommender_id="popularity", requested_at=dt.datetime.now(dt.UTC), cleaning={**told, **report})


def test_columns_stand_for_runs_oldest_first_and_the_fullest_is_as_high_as_the_drawing(db):
    newest = run_with(rule("near_duplicates", 30), rule("returns", 6, 4), rule("older_than_history", 900))
    oldest = run_with(rule("near_duplicates", 10), rule("daily_cap"))
    chart = chart_of_runs([newest, oldest])
    first, second = chart["columns"]
    assert first["x"] < second["x"]
    assert [part.height for part in first["parts"]] == [CHART[1] / 4]
    assert sum(part.height for part in second["parts"]) == CHART[1]
    assert [(name, n) for name, _colour, n in chart["legend"]] == [
        ("Near duplicates", 40), ("Returns and what they undid", 10)
    ]  # fmt: skip


def test_a_run_s_bars_are_in_percent_of_the_longest(db):
    report = report_of(run_with(rule("near_duplicates", 30), rule("returns", 6, 9), rows_in=500), site="admin")
    assert [(bar.name, bar.dropped, bar.changed, bar.width) for bar in report["bars"]] == [
        ("Near duplicates", 30, 0, 100.0), ("Returns and what they undid", 6, 9, 50.0)
    ]  # fmt: skip
    assert (report["rows_in"], report["rows_out"], report["older"]) == (500, 464, 0)
    assert report_of(TrainingRun(recommender_id="popularity"), site="admin") == {}


def test_before_any_training_the_page_says_how_to_get_one(db, staff):
    assert "No run has looked at the events yet." in staff.get(RUNS).content.decode()


def test_the_page_of_runs_has_its_chart_before_the_table_and_links_examples(shop, staff):
    click = uuid.uuid4()
    import_events(
        rows=[
            EventDraft(
                id=event_id,
                shopper_id=shop.people["h0"],
                product_id=shop.products["Soap-3"].pk,
                type="view_item",
                occurred_at=shop.now - dt.timedelta(days=1, seconds=second),
            )
            for event_id, second in ((uuid.uuid4(), 4), (click, 1))
        ]
    )
    request_training(kind="popularity")
    run = run_next()
    assert run.cleaning["rows_in"] - run.cleaning["rows_out"] == 1
    page = staff.get(RUNS).content.decode()
    assert page.index("Near duplicates") < page.index('id="result_list"')
    assert f"/admin/reco_events/event/{click}/change/" in page
    assert re.search(r"242\s+events read,\s+241 good enough to learn from", page)
    assert "Prices of purchases: 0 of 240 are missing, left as they are." in page
    one = staff.get(f"{RUNS}{run.pk}/change/").content.decode()
    assert "Near duplicates" in one
    assert staff.get(f"/admin/reco_events/event/{click}/change/").status_code == 200


def test_a_run_without_faults_says_that_no_rule_objected(shop, staff):
    request_training(kind="popularity")
    run_next()
    assert "No rule had anything to object to." in staff.get(RUNS).content.decode()


def test_an_erased_shopper_s_events_are_named_in_no_report(shop, person):
    twice = [uuid.uuid4(), uuid.uuid4()]
    import_events(
        rows=[
            EventDraft(
                id=event_id,
                shopper_id=owner,
                product_id=shop.products["Soap-3"].pk,
                type="view_item",
                occurred_at=shop.now - dt.timedelta(days=1, seconds=second),
            )
            for owner, event_id in ((person.pk, twice[0]), (shop.people["h1"], twice[1]))
            for event_id, second in ((uuid.uuid4(), 9), (event_id, 6))
        ]
    )
    request_training(kind="popularity")
    run = run_next()
    assert str(twice[0]) in json.dumps(run.cleaning)
    erase_shopper(shopper=person)
    run.refresh_from_db()
    assert str(twice[0]) not in json.dumps(run.cleaning)
    assert str(twice[1]) in json.dumps(run.cleaning)
