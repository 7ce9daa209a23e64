"""What is found in a file, whatever wrote it."""

from __future__ import annotations

import gzip
import sys

import pytest

from shop_reco.tables.errors import ColumnError, FileError, MissingLibraryError
from shop_reco.tables.reading import Dialect, batches, open_table
from shop_reco.tables.rows import BadRow, Row


@pytest.fixture
def read(tmp_path):
    """Rows as their values, bad ones as line and code."""

    def reading(data, name="file", **dialect):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        rows = open_table(path=path, dialect=Dialect(**dialect)).rows
        return [row.values if isinstance(row, Row) else (row.line, row.code) for row in rows]

    return reading


TWO = [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(read, mark):
    assert read(f"a{mark}b\n1{mark}2\n3{mark}4\n") == TWO


def test_a_delimiter_in_quotes_is_none(read):
    assert read('"a;;;;x",b\n1,2\n') == [{"a;;;;x": "1", "b": "2"}]


def test_a_given_delimiter_is_taken(read):
    assert read("a,x^b\n1^2\n", delimiter="^") == [{"a,x": "1", "b": "2"}]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_will_do_and_blank_lines_are_no_rows(read, end):
    assert read(end.join(["", "a,b", "1,2", "", "3,4", ""])) == TWO


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_an_encoding_with_its_mark_is_found(read, encoding):
    assert read("名,b\n茶,2\n".encode(encoding)) == [{"名": "茶", "b": "2"}]


def test_another_encoding_is_read_when_it_is_given(read):
    assert read("名,b\n茶,2\n".encode("gb18030"), encoding="gb18030") == [{"名": "茶", "b": "2"}]


def test_a_row_in_another_encoding_is_bad_and_the_rest_is_read(read):
    assert read(b"a,b\n1,2\n\xb2\xe8,2\n3,4\n") == [TWO[0], (3, "ENCODING"), TWO[1]]


def test_an_archive_of_several_parts_is_one_file(read):
    assert read(gzip.compress(b"a,b\n1,") + gzip.compress(b"2\n3,4\n") + b"\0\0\0") == TWO


def test_what_is_whole_in_an_archive_cut_short_comes_before_the_error(tmp_path):
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n3,4\n")[:-9])
    rows = open_table(path=path).rows
    assert next(rows).values == TWO[0]
    with pytest.raises(FileError, match=r"after line \d: the gzip archive is cut short"):
        list(rows)


def test_a_stray_quote_costs_its_own_line_only(read):
    assert read('a,b\n1,2\n5" tv,x\n"6,x\n3,4\n"x\ny",5\n') == [
        TWO[0], {"a": '5" tv', "b": "x"}, (4, "QUOTES"), TWO[1], {"a": "x\ny", "b": "5"},
    ]  # fmt: skip


def test_a_quote_still_open_at_the_end_costs_its_own_line_only(read):
    assert read('a,b\n"1,2\n1,2\n3,4\n') == [(2, "QUOTES"), *TWO]


def test_too_many_or_too_few_cells_are_told(read):
    assert read("a,b\n1\n1,2\n1,2,3\n") == [(2, "COLUMNS"), TWO[0], (4, "COLUMNS")]


def test_a_header_in_the_middle_is_no_row(read):
    assert read("a,b\n1,2\na,b\n3,4\n") == [TWO[0], (3, "HEADER"), TWO[1]]


def test_a_column_named_twice_is_refused(read):
    with pytest.raises(ColumnError, match="line 1, the header, names 'a' twice"):
        read("a,b,a\n1,2,3\n")


def test_escaped_formulas_come_back_and_error_columns_are_passed_over(read):
    assert read("error_line,error_why,a\n7,sku is empty,'=1\n") == [{"a": "=1"}]


def test_json_lines_keep_their_types_and_bad_ones_are_told(read):
    lines = b'{"a": 1, "b": [2.5]}\n\n{"a": NaN}\n[1]\n{"a"\n' + b"[" * 100_000 + b'\n{"a": "\\ud800"}\n'
    assert read(lines) == [
        {"a": 1, "b": [2.5]}, (3, "MALFORMED"), (4, "MALFORMED"), (5, "MALFORMED"), (6, "MALFORMED"), {"a": "\ud800"},
    ]  # fmt: skip


def test_parquet_is_read_with_its_types(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = tmp_path / "events"
    parquet.write_table(pyarrow.table({"a": [1, None], "b": ["x", "y"], "error_why": ["", ""]}), path)
    table = open_table(path=path)
    assert [(row.line, row.values) for row in table.rows] == [(1, {"a": 1, "b": "x"}), (2, {"a": None, "b": "y"})]
    assert table.share_read() == 1


def test_without_pyarrow_parquet_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = tmp_path / "events.parquet"
    path.write_bytes(b"PAR1" + b"\0" * 20 + b"PAR1")
    with pytest.raises(MissingLibraryError, match=r"pip install 'shop-reco\[parquet\]'"):
        open_table(path=path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b"\n\n\n", "has no rows"),
        (b"PK\x03\x04 a workbook", "zip archive or an Excel workbook"),
        (b'[{"a": 1}]', "jq -c"),
        (gzip.compress(gzip.compress(b"a,b\n1,2\n")), "gunzip"),
        (b"\x1f\x8b\x08\x00 no archive at all", "damaged"),
        (b"PAR1 cut short", "its footer is missing"),
        (b"PAR1" + b"\0" * 100 + b"PAR1", "the Parquet file is damaged"),
        ("a,b\n1,2\n".encode("utf-16-le"), "--encoding utf-16-le"),
        (b"\xff\xd8\xff\xe0 a picture", "is not utf-8"),
    ],
)
def test_what_is_no_table_is_refused_with_the_fix(read, data, message):
    with pytest.raises(FileError, match=message):
        read(data)


def test_a_folder_a_pipe_and_nothing_are_refused(tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe")
    for path, message in (
        (tmp_path, "is a folder"),
        (tmp_path / "pipe", "not a regular"),
        (tmp_path / "no", "No such"),
    ):
        with pytest.raises(FileError, match=message):
            open_table(path=path)


@pytest.mark.parametrize(
    ("dialect", "message"), [({"encoding": "klingon"}, "klingon"), ({"delimiter": "ab"}, "one char")]
)
def test_a_dialect_that_is_none_is_refused(read, dialect, message):
    with pytest.raises(FileError, match=message):
        read("a,b\n", **dialect)


def test_caps_are_settings(read, settings):
    settings.SHOP_RECO = {**settings.SHOP_RECO, "IMPORT_ROWS": 2, "IMPORT_ROW_BYTES": 12}
    assert read("a,b\n1,2\n" + "x" * 13 + ",1\n") == [TWO[0], (3, "TOO_LONG")]
    with pytest.raises(FileError, match="after line 4: more than IMPORT_ROWS = 2 rows"):
        read("a,b\n1,2\n1,2\n1,2\n")
    settings.SHOP_RECO = {**settings.SHOP_RECO, "IMPORT_ROWS": 10**6, "IMPORT_FILE_BYTES": 70_000}
    with pytest.raises(FileError, match="IMPORT_FILE_BYTES = 70000"):
        read("a,b\n" + "1,2\n" * 20_000)
    settings.SHOP_RECO = {**settings.SHOP_RECO, "IMPORT_COLUMNS": 2}
    with pytest.raises(FileError, match="3 columns; IMPORT_COLUMNS = 2 at most"):
        read("a,b,c\n")


def test_a_batch_ends_by_rows_or_by_bytes_and_good_rows_come_before_an_error():
    def rows():
        yield from (Row(n, {}, 10) for n in range(5))
        yield BadRow(6, "TOO_LONG", "", "", 3_000_000)
        yield Row(7, {}, 1)
        raise FileError("cut short")

    found = batches(rows(), 3)
    assert [[row.line for row in next(found)] for _ in range(3)] == [[0, 1, 2], [3, 4, 6], [7]]
    with pytest.raises(FileError, match="cut short"):
        next(found)
