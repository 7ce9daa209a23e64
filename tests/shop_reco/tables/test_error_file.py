"""The rows that were not taken, to be mended."""

from __future__ import annotations

import json

from shop_reco.tables.error_file import ErrorFile, path_beside
from shop_reco.tables.reading import open_table


def test_a_csv_of_errors_is_harmless_in_a_spreadsheet_and_reads_as_the_row_was(tmp_path):
    errors = ErrorFile(path=tmp_path / "e.csv", format="csv", columns=("sku", "text"), delimiter=";")
    values = {"sku": "-7", "text": '=HYPERLINK("x");\n茶'}
    errors.write(line=3, field="sku", code="UNKNOWN_PRODUCT", why="no such product", values=values)
    errors.close()
    assert "\n3;sku;UNKNOWN_PRODUCT;no such product;;'-7;" in errors.path.read_text("utf-8-sig")
    (row,) = open_table(path=errors.path).rows
    assert row.values == values


def test_json_lines_of_errors_read_as_the_rows_were(tmp_path):
    errors = ErrorFile(path=tmp_path / "e.jsonl", format="jsonl", columns=())
    errors.write(line=3, field="", code="MALFORMED", why="no JSON", values=None, text="{bad")
    errors.write(line=4, field="text", code="BAD_FIELD", why="half a character", values={"text": "\ud800", "n": 1})
    errors.close()
    first, *_ = map(json.loads, errors.path.read_text().splitlines())
    assert first == {"error_line": 3, "error_code": "MALFORMED", "error_why": "no JSON", "error_row": "{bad"}
    assert [row.values for row in open_table(path=errors.path).rows] == [{}, {"text": "\ud800", "n": 1}]


def test_there_is_no_file_without_errors_and_an_earlier_one_is_not_overwritten(tmp_path):
    data = tmp_path / "orders.csv.gz"
    assert path_beside(data, "csv") == tmp_path / "orders.errors.csv"
    ErrorFile(path=tmp_path / "orders.errors.csv", format="csv", columns=()).close()
    assert not (tmp_path / "orders.errors.csv").exists()
    (tmp_path / "orders.errors.csv").touch()
    assert path_beside(data, "csv") == tmp_path / "orders.errors.2.csv"
    assert path_beside(tmp_path / "orders.parquet", "parquet") == tmp_path / "orders.errors.jsonl"


def test_what_an_interrupted_batch_wrote_is_cut_off(tmp_path):
    path = tmp_path / "e.csv"

    def write(errors, line):
        errors.write(line=line, field="", code="X", why="", values={"a": ""})

    errors = ErrorFile(path=path, format="csv", columns=("a",))
    write(errors, 1)
    size = errors.kept()
    write(errors, 2)
    errors.close()
    again = ErrorFile(path=path, format="csv", columns=("a",), size=size)
    write(again, 3)
    again.close()
    assert [line.split(",")[0] for line in path.read_text("utf-8-sig").splitlines()] == ["error_line", "1", "3"]
    last = ErrorFile(path=tmp_path / "none.csv", format="csv", columns=("a",))
    write(last, 1)
    last.cut(0)
    assert not last.path.exists()
