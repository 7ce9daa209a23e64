"""Staff see what trainings left out: bars by rule, over the last runs and of the last one."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shop_reco.events.drafts import EventDraft
from shop_reco.events.imports import import_events
from shop_reco.events.models import Event
from shop_reco.portraits.folding import fold_events
from shop_reco.privacy.services import erase_shopper
from shop_reco.recommendations.admin.cleaning import CHART, chart_of_runs, report_of
from shop_reco.recommendations.models import CleaningExample, TrainingRun
from shop_reco.recommendations.services import (
    OF_PRODUCTS,
    forget_examples,
    keep_cleaning_report,
    request_training,
)
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


@pytest.fixture
def twice(shop, person):
    """An event of ``person`` and one of another shopper, each too soon after one alike; older than a year."""
    ids = [uuid.uuid4(), uuid.uuid4()]
    import_events(
        rows=[
            EventDraft(
                id=event_id,
                shopper_id=owner,
                product_id=shop.products["Soap-3"].pk,
                type="view_item",
                occurred_at=shop.now - dt.timedelta(days=390, seconds=second),
            )
            for owner, click in ((person.pk, ids[0]), (shop.people["h1"], ids[1]))
            for event_id, second in ((uuid.uuid4(), 9), (click, 6))
        ]
    )
    return [str(event_id) for event_id in ids]


def trained():
    request_training(kind="popularity")
    return run_next()


def named(run):
    run.refresh_from_db()
    return json.dumps(run.cleaning)


def test_an_erased_shopper_s_events_are_named_in_no_report(twice, person):
    run = trained()
    assert twice[0] in named(run)
    erase_shopper(shopper=person)
    assert twice[0] not in named(run)
    assert twice[1] in named(run)
    assert CleaningExample.objects.count() == 1


def test_nor_are_those_that_were_folded_and_deleted_before(twice, person, shop):
    run = trained()
    fold_events(now=shop.now + dt.timedelta(days=20))
    assert not Event.objects.filter(pk__in=twice).exists()
    assert twice[0] in named(run)
    erase_shopper(shopper=person)
    assert twice[0] not in named(run)
    assert twice[1] in named(run)


def test_an_erasure_reads_only_the_reports_that_name_the_shopper(twice, person, django_assert_num_queries):
    run = trained()
    for _ in range(30):
        TrainingRun.objects.create(
            recommender_id="popularity", state="done", cleaning=run_with(rule("returns", 1, 0, [twice[1]])).cleaning
        )
    with django_assert_num_queries(5), CaptureQueriesContext(connection) as asked:  # savepoint, two reads, a write
        assert forget_examples(shopper_ids=[person.pk]) == 1
    assert [each["sql"].split()[0] for each in asked].count("UPDATE") == 1
    assert twice[0] not in named(run)


def test_an_event_erased_while_its_training_ran_is_no_example(twice, person):
    run = TrainingRun.objects.create(recommender_id="popularity", state="running", owner=uuid.uuid4())
    report = run_with(rule("near_duplicates", 2, 0, twice), rule(OF_PRODUCTS, 0, 1, ["sku-1"])).cleaning
    erase_shopper(shopper=person)
    keep_cleaning_report(run=run, report=report)
    assert twice[0] not in named(run)
    assert [each["examples"] for each in run.cleaning["rules"]] == [[twice[1]], ["sku-1"]]


def test_a_second_attempt_names_its_own_examples_alone(twice, person):
    run = TrainingRun.objects.create(recommender_id="popularity", state="running", owner=uuid.uuid4())
    for ids in (twice, twice[1:]):
        keep_cleaning_report(run=run, report=run_with(rule("near_duplicates", 1, 0, ids)).cleaning)
    assert [str(each.event) for each in run.examples.all()] == [twice[1]]


def test_reports_from_before_examples_had_owners_get_them(twice, person, shop):
    gone = str(uuid.uuid4())
    told = run_with(rule("near_duplicates", 3, 0, [*twice, gone]), rule(OF_PRODUCTS, 0, 1, ["sku-1"])).cleaning
    run = TrainingRun.objects.create(recommender_id="popularity", state="done", cleaning=told)
    import_module("shop_reco.recommendations.migrations.0008_cleaning_examples").learn_owners(apps, None)
    assert gone not in named(run)
    assert "sku-1" in named(run)
    erase_shopper(shopper=person)
    run.refresh_from_db()
    assert [each["examples"] for each in run.cleaning["rules"]] == [[twice[1]], ["sku-1"]]
