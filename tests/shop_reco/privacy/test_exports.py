"""A file with all that is known of a shopper, for them alone and once."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import re
import tempfile
import tracemalloc
import uuid
from contextlib import nullcontext

import pytest
from django.utils import timezone, translation

from shop_reco.events.models import Event
from shop_reco.privacy.archive import write_archive
from shop_reco.privacy.errors import NoExportError
from shop_reco.privacy.exports import build_export, build_waiting, export_of, fetch_export, request_export
from shop_reco.privacy.models import Export
from shop_reco.privacy.personal import personal_tables
from shop_reco.privacy.selectors import privacy_root
from shop_reco.privacy.services import erase_shopper
from shop_reco.products.models import Product
from shop_reco.recommendations.models import ModelVersion, Slate
from shop_reco.tables.formulas import plain
from shop_reco.users.models import Consent
from shop_reco.users.services import create_visitor


def test_everything_known_is_in_the_file_by_titles_and_public_ids(known, exported):
    content = exported(known.shopper)
    assert {row["external_id"] for row in content["profile"]} == {known.name, None}
    assert {row["text_version"] for row in content["consent"]} != set()
    assert len(content["consent"]) == 6
    assert sorted(row["type"] for row in content["event"]) == ["purchase", "review", "search", "view_item"]
    titles = {content["products"][row["product"]] for row in content["event"] if row["product"]}
    assert titles == {"Tea 1", "Tea 2", "Soap 3"}
    assert content["portrait_now"][0]["orders"] == 1
    assert {"kind": "keyword", "key": f"word{known.trace}", "state": "pin"}.items() <= next(
        row for row in content["interests"] if row["state"] == "pin"
    ).items()
    assert len(content["slate"][0]["items"]) == 5
    assert any(item["reasons"] for item in content["slate"][0]["items"])
    assert [row["kind"] for row in content["feedback"]] == ["like"]
    assert len(content["shopperlink"]) == 1
    assert content["rejectedevent"][0]["payload"]["sku"] == f"unknown{known.trace}"
    read = content["staffread"][0]
    assert (read["staff__username"], read["what"], read["why"]) == (
        known.staff.username,
        "portrait",
        f"complaint{known.trace}",
    )


def test_every_personal_table_has_a_section_but_for_the_exports_themselves(known, exported):
    names = {table.name for table in personal_tables()} - {"export"}
    assert names <= set(exported(known.shopper))


def test_no_sequential_key_leaves_the_house(known, exported):
    content = exported(known.shopper)
    public_ids = {str(each) for each in Product.objects.values_list("public_id", flat=True)}
    listed = [item["product"] for row in content["slate"] for item in row["items"]]
    evidence = [
        key
        for row in content["slate"]
        for item in row["items"]
        for reason in item["reasons"]
        for key in reason["evidence"]
    ]
    assert evidence
    assert {*listed, *evidence, *content["products"]} <= public_ids
    rows = [row for rows in content.values() if isinstance(rows, list) for row in rows]
    assert not [row for row in rows if isinstance(row.get("id"), int)]
    assert not [name for row in rows for name in row if name.endswith("_id") and name not in OPAQUE]
    assert not [name for row in rows for name in row if "digest" in name]


OPAQUE = {"public_id", "external_id", "slate_id"}


def test_only_versions_trained_while_the_shopper_allowed_it_are_named(trained, person, exported):
    assert {row["version"] for row in exported(person)["model_versions"]} == {
        version.public_id.hex for version in ModelVersion.objects.all()
    }
    Consent.objects.filter(shopper=person, purpose="training").update(
        decided_at=timezone.now() - dt.timedelta(days=2), superseded_at=timezone.now() - dt.timedelta(days=1)
    )
    assert exported(person)["model_versions"] == []


def test_the_page_reads_in_words_and_loads_nothing(known, unpacked):
    page = unpacked(known.shopper)["index.html"].decode()
    for words in ("Tea 1", "Purchase", known.name, f"search{known.trace}", known.staff.username, "Similar shoppers"):
        assert words in page
    assert not re.search(r"(src|href)\s*=|url\(|@import|<script", page)
    with translation.override("zh-hans"):
        assert '<html lang="zh-hans">' in unpacked(known.shopper)["index.html"].decode()


def test_what_a_shopper_typed_is_text_on_the_page(known, unpacked):
    Event.objects.filter(type="search").update(query="<script>alert(1)</script>")
    page = unpacked(known.shopper)["index.html"].decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "'=1",
    '"=1',
    "＝1",
    "＋1",
    "－1",
    "＠1",
    "''=1",
    "'plain",
    "a=1",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_spreadsheet_runs_no_cell_and_our_own_import_reads_it_back(known, unpacked, text):
    Event.objects.filter(type="search").update(query=text)
    sheet = unpacked(known.shopper)["csv/event.csv"].decode("utf-8-sig")
    (cell,) = [row["query"] for row in csv.DictReader(io.StringIO(sheet, newline="")) if row["type"] == "search"]
    assert cell[0] not in '=+-@\t\r＝＋－＠"'
    assert plain(cell) == text


def test_a_link_works_once(known):
    asked = request_export(shopper=known.shopper)
    found = export_of(token=asked.token, shopper=known.shopper)
    path = privacy_root() / "exports" / found.file
    assert path.stat().st_mode & 0o777 == 0o600
    fetch_export(export=found).close()
    assert not path.exists()
    with pytest.raises(NoExportError):
        export_of(token=asked.token, shopper=known.shopper)
    with pytest.raises(NoExportError):
        fetch_export(export=found)


def test_a_link_runs_out_and_an_earlier_one_ends(known):
    first, second = request_export(shopper=known.shopper), request_export(shopper=known.shopper)
    with pytest.raises(NoExportError):
        export_of(token=first.token, shopper=known.shopper)
    assert len(list((privacy_root() / "exports").iterdir())) == 1
    assert second.export.expires_at - second.export.requested_at == dt.timedelta(days=7)
    Export.objects.update(expires_at=timezone.now())
    with pytest.raises(NoExportError):
        export_of(token=second.token, shopper=known.shopper)


def test_the_token_itself_is_kept_nowhere(known):
    asked = request_export(shopper=known.shopper)
    assert asked.token not in json.dumps(list(Export.objects.values()), default=str)


def test_a_long_export_waits_for_a_worker(known, settings, monkeypatch):
    offered = []
    monkeypatch.setattr("shop_reco.privacy.receivers.hints.offer", lambda task: offered.append(task.name))
    settings.SHOP_RECO = {**settings.SHOP_RECO, "EXPORT_NOW_ROWS": 1}
    asked = request_export(shopper=known.shopper)
    assert asked.export.ready_at is None
    assert offered == ["shop_reco.privacy.tasks.build_exports"]
    assert build_waiting() == 1
    assert build_waiting() == 0
    assert export_of(token=asked.token, shopper=known.shopper).ready_at is not None


def test_an_export_that_is_being_made_when_its_shopper_is_erased_leaves_no_file(known, settings, monkeypatch):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "EXPORT_NOW_ROWS": 1}
    export = request_export(shopper=known.shopper).export

    def erased_meanwhile(**arguments):
        written = write_archive(**arguments)
        erase_shopper(shopper=known.shopper)
        return written

    monkeypatch.setattr("shop_reco.privacy.exports.write_archive", erased_meanwhile)
    assert build_export(export=export) is False
    assert list((privacy_root() / "exports").iterdir()) == []


def test_what_a_killed_process_left_half_made_goes_with_the_shopper(known, monkeypatch):
    def killed(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(
        "shop_reco.privacy.archive.tempfile.TemporaryDirectory",
        lambda prefix, dir: nullcontext(tempfile.mkdtemp(prefix=prefix, dir=dir)),
    )
    monkeypatch.setattr("shop_reco.privacy.archive.zipfile.ZipFile", killed)
    with pytest.raises(KeyboardInterrupt):
        request_export(shopper=known.shopper)
    folder = privacy_root() / "exports"
    assert any(known.name.encode() in path.read_bytes() for path in folder.rglob("data.json"))
    erase_shopper(shopper=known.shopper)
    assert list(folder.iterdir()) == []


def test_the_files_of_others_are_not_even_listed_and_earlier_ones_still_found(known, monkeypatch):
    other = create_visitor()
    kept = request_export(shopper=other).export
    export = request_export(shopper=known.shopper).export
    folder = privacy_root() / "exports"
    earlier = folder / f"{export.public_id.hex}-earlier.zip"
    (folder / export.file).rename(earlier)
    Export.objects.filter(pk=export.pk).update(file=earlier.name)
    listed, scandir = [], os.scandir

    def scanned(path):
        listed.append(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scanned)
    monkeypatch.setattr(os, "listdir", None)
    erase_shopper(shopper=known.shopper)
    monkeypatch.undo()
    assert str(folder) not in {str(path) for path in listed}
    assert [path.name for path in folder.iterdir()] == [kept.public_id.hex]
    assert (folder / kept.file).exists()


def test_nothing_is_left_of_an_export_that_was_fetched(known):
    asked = request_export(shopper=known.shopper)
    fetch_export(export=asked.export).close()
    assert list((privacy_root() / "exports").iterdir()) == []


def plant_events(shopper, product, n):
    now = timezone.now()
    Event.objects.bulk_create(
        (
            Event(
                id=uuid.uuid4(),
                shopper=shopper,
                product=product,
                type="view_item",
                occurred_at=now - dt.timedelta(minutes=k),
                received_at=now,
                digest=f"{k:032x}",
            )
            for k in range(n)
        ),
        batch_size=500,
    )


def test_four_times_the_events_take_no_more_memory(known, tmp_path):
    peaks = []
    for n in (1000, 3000):
        plant_events(known.shopper, known.product, n)
        tracemalloc.start()
        write_archive(shopper=known.shopper, path=tmp_path / f"{n}.zip", progress=lambda done: None)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert Event.objects.filter(shopper=known.shopper).count() == 4003
    assert peaks[1] < peaks[0] + 1_000_000


def test_a_slate_in_the_export_is_what_was_served(known, exported):
    slate = Slate.objects.get(shopper=known.shopper)
    names = {pk: str(public_id) for pk, public_id in Product.objects.values_list("pk", "public_id")}
    (row,) = exported(known.shopper)["slate"]
    assert [item["product"] for item in row["items"]] == [names[item["product"]] for item in slate.items]
