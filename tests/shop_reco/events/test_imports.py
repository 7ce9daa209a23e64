"""Events from files: what is stored, what is not and why, and that a run that was cut off ends like a whole one."""

from __future__ import annotations

import csv
import datetime as dt
import json
import uuid
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command

from shop_reco.events import vouched
from shop_reco.events.drafts import EventDraft
from shop_reco.events.imports import EventFile, import_event_file, import_events
from shop_reco.events.models import DataImport, DirtyShopper, Event, RejectedEvent
from shop_reco.privacy.services import erase_shopper
from shop_reco.tables.errors import FileError
from shop_reco.users.models import Consent, Shopper
from shop_reco.users.services import decide_consent

COLUMNS = ["shopper", "sku", "type", "occurred_at", "quantity", "price"]


@pytest.fixture
def orders(shop, tmp_path):
    """Writes a CSV of purchases of known shoppers; changes by line, from 0."""

    def written(n=20, name="orders.csv", **changes):
        path = tmp_path / name
        with path.open("w", newline="") as out:
            table = csv.writer(out)
            table.writerow(COLUMNS)
            for k in range(n):
                at = (shop.now - dt.timedelta(days=3, minutes=k)).isoformat(timespec="seconds")
                row = dict(
                    zip(COLUMNS, [f"h{k % 30}", f"Tea-{k % 12}", "purchase", at, 1 + k % 3, "2.50"], strict=True)
                )
                table.writerow({**row, **changes.get(f"row{k}", {})}.values())
        return path

    return written


@pytest.fixture
def command(capsys):
    def called(*arguments, **options):
        call_command("import_events", *map(str, arguments), **options)
        return capsys.readouterr().out

    return called


def withdraw(shopper):
    decide_consent(shopper=shopper, decisions=dict.fromkeys(Consent.Purpose.values, False), source="shop")


def stored(of=None):
    found = Event.objects.order_by("id").values_list("id", "shopper", "product", "type", "quantity", "price", "digest")
    return [row for row in found if of is None or row[0] in of]


def test_a_file_imported_twice_stores_nothing_new(orders, command):
    before, path = Event.objects.count(), orders(20)
    assert command(path) == f"{path}: 20 rows read: 20 new, 0 stored before, 0 rejected\n"
    kept = stored()
    assert command(path) == f"{path}: 20 rows read: 0 new, 20 stored before, 0 rejected\n"
    assert stored() == kept
    assert len(kept) == before + 20
    assert set(DirtyShopper.objects.values_list("shopper__external_id", flat=True)) >= {f"h{n}" for n in range(20)}


def test_good_rows_beside_bad_ones_are_stored_and_the_bad_ones_can_be_mended(orders, command):
    bad = {"row1": {"type": "dance"}, "row3": {"sku": "=1+1"}, "row4": {"price": "-1"}, "row5": {"quantity": "many"}}
    path = orders(**bad, row6={"shopper": ""})
    told = command(path)
    errors = path.with_name("orders.errors.csv")
    assert told == (
        f"{path}: 20 rows read: 15 new, 0 stored before, 5 rejected (BAD_FIELD 3, UNKNOWN_PRODUCT 1, UNKNOWN_TYPE 1)\n"
        f"  the rejected rows, each with why: {errors}; mend them there, and import that file\n"
    )
    with errors.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["error_line"], row["error_field"], row["error_code"]) for row in rows] == [
        ("3", "type", "UNKNOWN_TYPE"),
        ("5", "sku", "UNKNOWN_PRODUCT"),
        ("6", "price", "BAD_FIELD"),
        ("7", "quantity", "BAD_FIELD"),
        ("8", "shopper", "BAD_FIELD"),
    ]
    assert rows[1]["sku"] == "'=1+1"
    assert rows[2]["error_why"] == "price must lie between 0 and 9999999999.99"
    mended = errors.read_text("utf-8-sig").replace("dance", "purchase").replace("'=1+1", "Tea-1").replace("'-1", "1")
    errors.write_text(mended.replace("many", "2"), "utf-8")
    assert "5 rows read: 4 new, 0 stored before, 1 rejected (BAD_FIELD 1)" in command(errors)
    assert not RejectedEvent.objects.exists()


def test_columns_are_mapped_and_constants_hold_for_all(shop, tmp_path, command):
    path, day = tmp_path / "till.csv", (shop.now - dt.timedelta(days=10)).strftime("%d.%m.%Y")
    path.write_text(f"Kunde;Artikel;Datum;Menge;Preis;Filiale\nh1;Tea-3;{day} 10:00;2;1.234,50;Mitte\n")
    told = command(
        path, "--map", "Kunde=shopper", "--map", "Artikel=sku", "--map", "Datum=occurred_at", "--map", "Menge=quantity",
        "--map", "Preis=price", "--set", "type=purchase", "--set", "channel=store", "--set", "currency=EUR",
        "--time-format", "%d.%m.%Y %H:%M", "--time-zone", "Europe/Berlin", "--decimal-comma",
    )  # fmt: skip
    assert told == f"{path}: 1 rows read: 1 new, 0 stored before, 0 rejected\n  columns of no use: Filiale\n"
    event = Event.objects.latest("received_at")
    assert (event.price, event.quantity, event.channel, event.currency) == (Decimal("1234.50"), 2, "store", "EUR")
    assert event.product.sku == "Tea-3"
    assert event.occurred_at.astimezone(ZoneInfo("Europe/Berlin")).strftime("%d.%m.%Y %H:%M") == f"{day} 10:00"


def test_without_consent_nobody_is_made_and_nothing_is_kept(orders, command):
    path, people = orders(3, row1={"shopper": "stranger"}), Shopper.objects.count()
    told = command(path)
    assert "2 new, 0 stored before, 1 rejected (CONSENT_REQUIRED 1)" in told
    assert "--consent personalisation,training --source NAME" in told
    assert Shopper.objects.count() == people
    assert not path.with_name("orders.errors.csv").exists()


def test_consent_is_recorded_with_its_source_and_a_shoppers_own_decision_stands(orders, command, person):
    withdraw(person)
    path = orders(3, row1={"shopper": "stranger"})
    told = command(path, "--consent", "personalisation,training", "--source", "till 2026")
    assert "2 new, 0 stored before, 1 rejected (CONSENT_REQUIRED 1)" in told
    given = Consent.objects.filter(shopper__external_id="stranger").values_list("purpose", "granted", "source")
    assert sorted(given) == [("personalisation", True, "till 2026"), ("training", True, "till 2026")]
    assert not Consent.objects.filter(shopper=person, granted=True, superseded_at__isnull=True).exists()


def test_an_erased_shopper_is_not_brought_back(orders, command, person, monkeypatch):
    erase_shopper(shopper=person)
    path = orders(3)
    told = command(path, "--consent", "training", "--source", "till")
    assert "2 new, 0 stored before, 1 rejected (ERASED 1)" in told
    assert not Shopper.objects.filter(external_id="h0").exists()
    assert not path.with_name("orders.errors.csv").exists()
    # without the ledger's answer the same file does bring them back
    monkeypatch.setattr("shop_reco.events.vouched.erased_since", lambda *, external_ids: {})
    assert "1 new, 2 stored before" in command(path, "--consent", "training", "--source", "till")
    assert Shopper.objects.filter(external_id="h0").exists()


@pytest.fixture
def once_asked(monkeypatch):
    """Has something done right after the import has heard, for the first time, who was erased."""

    def then(deed):
        asked, erased_since = [], vouched.erased_since

        def answered(*, external_ids):
            found = erased_since(external_ids=external_ids)
            asked.append(found)
            if len(asked) == 1:
                deed()
            return found

        monkeypatch.setattr(vouched, "erased_since", answered)

    return then


def test_one_who_is_erased_while_a_batch_is_looked_at_is_not_brought_back(orders, command, person, once_asked):
    once_asked(lambda: erase_shopper(shopper=person))
    told = command(orders(3), "--consent", "training", "--source", "till")
    assert "2 new, 0 stored before, 1 rejected (ERASED 1)" in told
    assert not Shopper.objects.filter(external_id="h0").exists()


def test_one_who_is_erased_and_returns_meanwhile_gets_back_nothing_from_before(orders, command, person, once_asked):
    def erased_and_back():
        erase_shopper(shopper=person)
        back = Shopper.objects.create(external_id="h0")
        decide_consent(shopper=back, decisions={"personalisation": True}, source="shop")

    once_asked(erased_and_back)
    assert "2 new, 0 stored before, 1 rejected (ERASED 1)" in command(orders(3))
    assert not Event.objects.filter(shopper__external_id="h0").exists()


ALL_KINDS = {
    "row0": {"type": "dance"},
    "row1": {"sku": "no"},
    "row2": {"price": "-1"},
    "row3": {"quantity": "1.5"},
    "row4": {"occurred_at": "yesterday"},
}


def test_of_people_who_allow_nothing_no_bad_row_is_written_either(orders, command):
    for name in ("h0", "h1", "h2", "h3", "h4"):
        withdraw(Shopper.objects.get(external_id=name))
    path = orders(6, **ALL_KINDS, row5={"shopper": "stranger", "occurred_at": "yesterday"})
    assert "6 rows read: 0 new, 0 stored before, 6 rejected (CONSENT_REQUIRED 6)" in command(path)
    assert not path.with_name("orders.errors.csv").exists()
    # vouched for, the stranger is nobody who allowed nothing, and their row can be mended
    told = command(path, "--consent", "training", "--source", "till")
    assert "6 rejected (BAD_FIELD 1, CONSENT_REQUIRED 5)" in told
    assert path.with_name("orders.errors.csv").read_text("utf-8-sig").count("yesterday") == 1


def test_of_an_erased_shopper_no_bad_row_is_written(orders, command, person):
    changes = {row: {**said, "shopper": "h0"} for row, said in ALL_KINDS.items()}
    assert "5 rejected (BAD_FIELD 3, UNKNOWN_PRODUCT 1, UNKNOWN_TYPE 1)" in command(orders(5, "known.csv", **changes))
    erase_shopper(shopper=person)
    path = orders(5, **changes)
    assert "5 rejected (ERASED 5)" in command(path, "--consent", "training", "--source", "till")
    assert not path.with_name("orders.errors.csv").exists()


def test_the_same_id_with_another_row_is_a_conflict(shop, tmp_path, command):
    path = tmp_path / "clicks.jsonl"
    row = {"id": 7, "shopper": "h1", "sku": "Tea-1", "type": "view", "occurred_at": shop.now.isoformat()}
    lines = [row, row, {**row, "sku": "Tea-2"}, {**row, "id": 8}, {**row, "id": 9, "sku": "no"}]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    told = command(path)
    assert "5 rows read: 2 new, 1 stored before, 2 rejected (CONFLICT 1, UNKNOWN_PRODUCT 1)" in told
    kept = [json.loads(line) for line in path.with_name("clicks.errors.jsonl").read_text().splitlines()]
    assert [(each["error_line"], each["error_field"], each["sku"]) for each in kept] == [
        (3, "id", "Tea-2"),
        (5, "sku", "no"),
    ]


def test_parquet_is_imported_and_its_bad_rows_are_json_lines(shop, tmp_path, command):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    at = [shop.now.replace(tzinfo=None) - dt.timedelta(hours=n) for n in range(3)]
    table = pyarrow.table({
        "shopper": ["h1", "h2", "h3"], "sku": ["Tea-1", "Tea-2", "no"], "occurred_at": at, "type": ["view"] * 3,
        "price": [Decimal("1.50"), None, Decimal("2.00")],
    })  # fmt: skip
    path = tmp_path / "events.parquet"
    parquet.write_table(table, path)
    assert "3 rows read: 2 new, 0 stored before, 1 rejected (UNKNOWN_PRODUCT 1)" in command(path, "--time-zone", "UTC")
    (kept,) = map(json.loads, path.with_name("events.errors.jsonl").read_text().splitlines())
    assert (kept["error_line"], kept["sku"], kept["price"]) == (3, "no", "2.00")


def test_a_dry_run_checks_everything_and_stores_nothing(orders, command):
    path, before = orders(row2={"shopper": "stranger"}, row5={"sku": "no"}), stored()
    told = command(path, "--dry-run", "--consent", "training", "--source", "till")
    assert "20 rows read: 19 new, 0 stored before, 1 rejected (UNKNOWN_PRODUCT 1); dry run: nothing is stored" in told
    assert stored() == before
    assert not Shopper.objects.filter(external_id="stranger").exists()
    assert not DataImport.objects.exists()
    assert path.with_name("orders.errors.csv").exists()


class Cut(BaseException):
    """What no ``except Exception`` stops."""


def cut_after(reads):
    def progress(read, share):
        if read >= reads:
            raise Cut

    return progress


@pytest.fixture
def small_batches(settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "IMPORT_BATCH": 7}


def test_an_interrupted_import_goes_on_where_it_was_and_ends_like_a_whole_one(orders, command, small_batches):
    changes = {"row3": {"sku": "no"}, "row11": {"sku": "none"}, "row20": {"price": "x"}}
    whole, cut = orders(30, "whole.csv", **changes), orders(30, "cut.csv", **changes)
    before = set(Event.objects.values_list("id", flat=True))
    command(whole)
    clean = [row for row in stored() if row[0] not in before]
    Event.objects.exclude(id__in=before).delete()
    with pytest.raises(Cut):
        import_event_file(file=EventFile(path=cut), progress=cut_after(14))
    assert len(stored()) == len(before) + 12
    told = command(cut)
    assert told.startswith(f"{cut}: went on after row 14, where an earlier run had stopped\n")
    assert "30 rows read: 27 new, 0 stored before, 3 rejected (BAD_FIELD 1, UNKNOWN_PRODUCT 2)" in told
    assert [row for row in stored() if row[0] not in before] == clean
    errors = [path.with_name(f"{path.stem}.errors.csv").read_bytes() for path in (whole, cut)]
    assert errors[0] == errors[1]
    assert DataImport.objects.get(source="file: cut.csv").finished_at is not None


def test_a_batch_that_failed_leaves_nothing_behind_once_the_import_went_on(orders, small_batches, monkeypatch):
    path = orders(14, row1={"sku": "no"}, row9={"sku": "no"})

    insert, calls = vouched.insert_events, []

    def failing(*arguments, **named):
        calls.append(1)
        if len(calls) > 1:
            raise Cut
        return insert(*arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(vouched, "insert_events", failing)
        with pytest.raises(Cut):
            import_event_file(file=EventFile(path=path))
    assert DataImport.objects.get().report["resume"]["read"] == 7
    assert import_event_file(file=EventFile(path=path)).rejected == {"UNKNOWN_PRODUCT": 2}
    lines = path.with_name("orders.errors.csv").read_text("utf-8-sig").splitlines()
    assert [line.split(",")[0] for line in lines] == ["error_line", "3", "11"]


def test_a_file_that_changed_meanwhile_is_refused_until_told_to_begin_anew(orders, command, small_batches, capsys):
    path = orders(20)
    with pytest.raises(Cut):
        import_event_file(file=EventFile(path=path), progress=cut_after(7))
    orders(21)
    with pytest.raises(CommandError):
        command(path)
    assert "changed since its import stopped after row 7" in capsys.readouterr().err
    assert "21 rows read: 14 new, 7 stored before" in command(path, "--restart")


def test_another_reading_of_the_same_file_is_noticed_too(orders, small_batches):
    path = orders(20)
    with pytest.raises(Cut):
        import_event_file(file=EventFile(path=path), progress=cut_after(7))
    with pytest.raises(FileError, match="or how it is read, changed"):
        import_event_file(file=EventFile(path=path, purposes=("training",)))


def test_two_imports_of_one_file_at_a_time_are_noticed(orders, small_batches):
    path = orders(20)

    def another(read, share):
        if read == 7:
            import_event_file(file=EventFile(path=path))

    with pytest.raises(FileError, match=r"another import of .* is running"):
        import_event_file(file=EventFile(path=path), progress=another)


def test_what_was_good_before_a_file_breaks_off_is_stored(shop, orders, tmp_path, command, capsys):
    import gzip

    path, before = tmp_path / "cut.csv.gz", Event.objects.count()
    path.write_bytes(gzip.compress(orders(2000).read_bytes())[:-200])
    with pytest.raises(CommandError, match="could not be read to the end"):
        command(path)
    assert "the gzip archive is cut short; copy or pack the file again" in capsys.readouterr().err
    kept = Event.objects.count() - before
    assert 1000 < kept < 2000
    path.write_bytes(gzip.compress(orders(2000).read_bytes()))
    assert f"2000 rows read: {2000 - kept} new, {kept} stored before" in command(path)


def test_ctrl_c_says_how_to_go_on(orders, small_batches, monkeypatch):
    from shop_reco.tables.progress import Progress

    def pressed(self, read, share):
        raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "__call__", pressed)
    with pytest.raises(CommandError, match="give the same command once more, and it goes on from there") as told:
        call_command("import_events", str(orders(20)))
    assert told.value.returncode == 130


def test_a_file_that_cannot_be_read_does_not_keep_the_others_back(orders, command, tmp_path, capsys):
    (tmp_path / "empty.csv").touch()
    good = orders(5)
    with pytest.raises(CommandError, match="1 of 2 files"):
        command(tmp_path / "empty.csv", good)
    said = capsys.readouterr()
    assert "is empty; nothing was imported" in said.err
    assert "5 new" in said.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--map", "sku"], "write it as --map COLUMN=FIELD"),
        (["--map", "nothing=sku"], "there is no column 'nothing' to map; the columns: shopper, sku"),
        (["--set", "typ=purchase"], "did you mean type?"),
        (["--consent", "training"], "--consent needs --source NAME"),
        (["--consent", "fame", "--source", "x"], "no purpose is called fame; known: personalisation, training"),
        (["--time-zone", "Mars/Base"], "no time zone is called Mars/Base"),
        (["--map", "type="], "no column is type; the columns:"),
        (["--source", "x" * 41], "--source must be 1 to 40 characters"),
    ],
)
def test_options_that_do_not_fit_are_told_with_the_fix(orders, command, capsys, arguments, message):
    before, path = Event.objects.count(), orders(3)
    with pytest.raises(CommandError):
        command(path, *arguments)
    assert message in capsys.readouterr().err
    assert Event.objects.count() == before


def test_an_error_file_is_never_the_file_itself(orders, command):
    path = orders(3)
    with pytest.raises(CommandError, match="would overwrite"):
        command(path, "--errors", path)


def test_drafts_with_ids_that_are_stored_are_passed_over(shop):
    draft = EventDraft(
        id=uuid.uuid4(), shopper_id=shop.people["h1"], product_id=shop.products["Tea-1"].pk, type="purchase",
        occurred_at=shop.now, price=Decimal("1.5"),
    )  # fmt: skip
    assert [import_events(rows=[draft, draft]) for _ in range(2)] == [1, 0]
    assert Event.objects.get(pk=draft.id).digest == draft.digest()
