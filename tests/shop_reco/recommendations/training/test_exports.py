"""An export holds what a training in memory learns from, goes when it is done with, and keeps nobody erased."""

from __future__ import annotations

import datetime as dt
import os
import uuid

import numpy as np
import pytest
from django.core.management import call_command
from django.utils import timezone

from reco_engine.spark import Part, read_parts
from shop_reco.events.cleaning import clean_events
from shop_reco.events.models import ShopperFlag
from shop_reco.privacy.services import erase_shopper
from shop_reco.recommendations.learning import with_feedback
from shop_reco.recommendations.models import Feedback
from shop_reco.recommendations.services import give_feedback, request_training
from shop_reco.recommendations.tasks import unlearn
from shop_reco.recommendations.training import export_interactions, exports, trim_exports
from shop_reco.recommendations.training.exports import spark_root
from shop_reco.users.models import Shopper
from shop_reco.users.services import decide_consent

NAME = uuid.UUID(int=7).hex


def told(table):
    """What lies in a table, in canonical order."""
    columns = zip(*((p.users, p.items, p.timestamps, p.weights) for p in read_parts(table)), strict=True)
    return Part(*(np.concatenate(column) for column in columns)).interactions()


def same(one, other):
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("users", "items", "timestamps", "weights", "user_ids", "item_ids")
    )


@pytest.fixture
def small_files(monkeypatch):
    monkeypatch.setattr(exports, "PART_ROWS", 20)
    monkeypatch.setattr("shop_reco.events.cleaning.PEOPLE", 2)


def test_it_holds_what_a_training_in_memory_learns_from(shop, small_files):
    export = export_interactions(name=NAME, until=shop.now)
    usual = clean_events(until=shop.now)
    assert len(list(export.table.glob("*.parquet"))) > 5
    assert same(told(export.table), usual.interactions)
    assert same(export.sample, usual.interactions)
    assert (export.n_interactions, export.n_users, export.n_items) == (
        len(usual.interactions), usual.interactions.n_users, usual.interactions.n_items,
    )  # fmt: skip
    assert export.newest == usual.interactions.newest
    assert export.report["rules"] == usual.report["rules"]


def test_who_does_not_allow_training_and_who_is_flagged_is_not_in_it(shop, small_files):
    refused, flagged = Shopper.objects.order_by("pk")[:2]
    decide_consent(shopper=refused, decisions={"training": False}, source="test")
    ShopperFlag.objects.create(shopper=flagged, rule="bots", evidence_key="1", evidence={})
    export = export_interactions(name=NAME, until=timezone.now())
    assert not {refused.pk, flagged.pk} & set(told(export.table).user_ids.tolist())
    assert export.kept_out["shoppers"] == 1
    assert export.n_users == 28


def test_accepted_feedback_weighs_in_it_as_in_memory(shop, small_files):
    people = list(Shopper.objects.order_by("pk"))
    products = list(shop.products.values())
    for shopper in people[:6]:
        give_feedback(shopper=shopper, product=products[3], kind="like")
        give_feedback(shopper=shopper, product=products[0], kind="dislike")
    Feedback.objects.update(review="accepted")
    at = timezone.now()
    export = export_interactions(name=NAME, until=at)
    usual, counts = with_feedback(clean_events(until=at).interactions)
    assert counts["added"] == 6
    assert same(told(export.table), usual)
    assert export.report["feedback"] == counts


def test_of_many_interactions_only_some_shoppers_are_held_in_memory(shop, settings, small_files):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "SPARK_SAMPLE": 60}
    export = export_interactions(name=NAME, until=shop.now)
    assert 0 < len(export.sample) <= 60
    assert export.n_interactions == 240


def test_an_empty_shop_exports_nothing(db, settings, tmp_path):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "SPARK_ROOT": tmp_path}
    export = export_interactions(name=NAME, until=timezone.now())
    assert (export.n_interactions, export.newest) == (0, None)
    assert list(export.table.iterdir()) == []


def test_one_that_is_stopped_leaves_nothing(shop):
    def stop(done):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_interactions(name=NAME, until=shop.now, progress=stop)
    assert list(spark_root().iterdir()) == []


def test_the_command_says_where_it_lies(shop, capsys):
    call_command("export_interactions")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "240 interactions of 30 shoppers, 36 items:"
    assert os.listdir(lines[1]) == ["part-00000.parquet"]


def test_an_export_goes_after_a_day(shop):
    export = export_interactions(name=NAME, until=shop.now)
    assert trim_exports(now=timezone.now() + dt.timedelta(hours=23)) == 0
    assert trim_exports(now=timezone.now() + dt.timedelta(hours=25)) == 1
    assert not export.table.exists()


def test_an_export_goes_within_the_hour_after_an_erasure(shop):
    export = export_interactions(name=NAME, until=timezone.now())
    erase_shopper(shopper=Shopper.objects.first())
    unlearn()
    assert not export.table.exists()


def test_what_a_running_training_reads_stays_and_what_a_dead_one_left_goes(shop):
    run = request_training(kind="item_cf")
    export = export_interactions(name=run.public_id.hex, until=shop.now)
    later = timezone.now() + dt.timedelta(hours=25)
    run.state = "running"
    run.save()
    assert trim_exports(now=later) == 0
    run.state = "failed"
    run.save()
    assert trim_exports(now=later) == 1
    assert not export.table.exists()
