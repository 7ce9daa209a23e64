"""Files made to break whoever reads them: each is told with its line and the fix, in bounded memory, and what was good
before it is stored.
"""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MOST_MB = 100
HEADER = b"shopper,sku,type,occurred_at,text\n"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peak of a piece of work is read from /proc")


def good(n, start=0):
    at = dt.datetime.now(dt.UTC) - dt.timedelta(days=30)
    times = ((at + dt.timedelta(seconds=start + k)).isoformat() for k in range(n))
    return "".join(f"h{k % 7},1,view,{time},\n" for k, time in enumerate(times)).encode()


def imported(folder, paths, **caps):
    environment = {name: value for name, value in os.environ.items() if name != "TEST_DATABASE_URL"}
    environment |= {"DJANGO_SETTINGS_MODULE": "shop_reco.settings.test", "TMPDIR": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.shop_reco.tables.hostile", json.dumps(caps), *map(str, paths)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def long_line(path, megabytes):
    """A header, three good rows, one line of so many MB (a hole in the file), and two good rows more."""
    with path.open("wb") as out:
        out.write(HEADER + good(3))
        out.seek(megabytes * 2**20, os.SEEK_CUR)
        out.write(b"\n" + good(2, start=50))
    return path


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")

    def put(name, data):
        (folder / name).write_bytes(data)
        return folder / name

    first = put("first.csv", HEADER + good(12_000, start=100))
    bomb = HEADER + good(2, start=20_000) + b"\0" * (120 * 2**20)
    paths = [
        first,
        put("bomb.csv.gz", gzip.compress(bomb, 6)),
        put("wide.csv", HEADER + good(2, start=20_010) + b"," * 10_000_000 + b"\n" + good(1, start=20_020)),
        put("wide_header.csv", b"a," * 10_000_000 + b"\n"),
        long_line(folder / "long.csv", 1024),
        put("open_quote.csv", HEADER + b'h1,1,view,"2026\n' + good(20_000, start=30_000)),
        put("open_quotes.csv", HEADER + good(3, start=60_000) + b'x","y\n' * 300_000),
        put("deep.jsonl", b"\n".join([b'{"text": ' + b"[" * 250_000] * 20)),
        put("empties.jsonl", (b'{"text": [' + b"[]," * 80_000 + b"[]]}\n") * 40),
        put("binary.csv", HEADER + good(2, start=70_000) + os.urandom(5_000_000)),
    ]
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        pass
    else:
        columns = ("type", "shopper", "occurred_at", "sku")
        table = pyarrow.table({name: ["x" * 150_000_000 if name == "type" else "x"] for name in columns})
        parquet.write_table(table, folder / "bomb.parquet", compression="zstd", use_dictionary=False)
        del table
        put("cut.parquet", (folder / "bomb.parquet").read_bytes()[:-100])
        paths += [folder / "bomb.parquet", folder / "cut.parquet"]
    return imported(folder, paths)


@pytest.mark.parametrize(
    ("name", "stored", "said"),
    [
        ("bomb.csv.gz", 2, "the archive unpacks to more than IMPORT_RATIO = 100 times its size"),
        ("wide.csv", 3, "1 rejected (TOO_LONG 1)"),
        ("wide_header.csv", 0, "line 1, the header, is longer than IMPORT_ROW_BYTES = 262144 bytes"),
        ("long.csv", 5, "1 rejected (TOO_LONG 1)"),
        ("open_quote.csv", 20_000, "1 rejected (QUOTES 1)"),
        ("open_quotes.csv", 3, "quotes that do not close all over the file"),
        ("deep.jsonl", 0, "20 rejected (MALFORMED 20)"),
        ("empties.jsonl", 0, "40 rejected (BAD_FIELD 40)"),
        ("binary.csv", 2, "rejected ("),
        ("bomb.parquet", 0, "unpacks to more than IMPORT_RATIO = 100 times its size"),
        ("cut.parquet", 0, "the Parquet file is cut short: its footer is missing"),
    ],
)
def test_a_hostile_file_is_told_in_bounded_memory(told, name, stored, said):
    if name not in told:
        pytest.skip("needs pyarrow")
    found = told[name]
    assert said in found["said"]
    assert found["stored"] == stored
    assert found["grown_mb"] <= MOST_MB


def test_the_same_line_fills_the_memory_when_the_cap_is_off(tmp_path):
    path = long_line(tmp_path / "long.csv", 60)
    found = imported(tmp_path, [path], IMPORT_ROW_BYTES=2**30)[path.name]
    assert found["grown_mb"] > MOST_MB
