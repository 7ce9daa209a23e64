"""Numbers that are none, and texts that no database takes, at every door; then planted behind all doors."""

from __future__ import annotations

import csv
import json
import os
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import httpx

from tests.faults.live_shop import LiveShop, free_port, group_of, kill, token_in

from ..ingest_clients import DOCUMENT
from .clients import Reader
from .stage import KINDS, Stage, on_stage
from .strange_shops import is_ours, not_finite, probe_of_numbers
from .visibility import UPSERT

LITERALS = ("NaN", "Infinity", "-Infinity", "1e308", "1e999", "-1")
"""As JSON's numbers, which Python's own reader takes."""
FIELDS = {"price": "PURCHASE", "rating": "RATE", "quantity": "PURCHASE"}
"""Numbers of an event, and a type that has them."""
ODD = "odd"
"""The order that says which events are these."""
RULE = "/admin/reco_recommendations/rule/add/"
PLANTED = {
    "sqlite": {
        "price": ("9e999", "-9e999", "'NaN'", "1e308"), "rating": ("9e999", "'NaN'"), "quantity": ("1e308", "-5"),
    },
    "postgresql": {"price": ("'NaN'", "-1"), "rating": ("'NaN'", "'Infinity'"), "quantity": ("-5",)},
}  # fmt: skip
RULES = {"price": "impossible_prices", "rating": "impossible_ratings", "quantity": "impossible_quantities"}
"""Which rule of cleaning counts what is wrong with a column."""
SHAPES = (*KINDS, "trending", "buy_again")
SEARCH = "query($s: String!) { products(first: 5, search: $s) { edges { node { sku } } } }"
TEXTS = {
    "NUL": "te\0a", "a lone surrogate": "te\ud83da", "right to left": "שלום \u202e abc", "emoji": "👩‍👩‍👧‍👦🏳️‍🌈" * 8,
    "combining marks": "e" + "\u0301" * 200, "256 characters": "x" * 256,
}  # fmt: skip
REFUSED = ("NUL", "a lone surrogate")
MEGABYTES, RISE = 10, 20
"""Of a body that is too large, and by which the memory of the web process may rise while it is refused."""


@on_stage
def numbers(stage: Stage, *, rounds: int, seed: int) -> dict[str, Any]:
    """Refused by API, file import and admin; what is planted by SQL is counted by trainings and learnt by none."""
    api = at_the_api(stage)
    files = in_files(stage)
    admin = in_the_admin(stage)
    planted = behind_the_doors(stage)
    control = probe_of_numbers(stage.shop.folder / "probe")
    return {"api": api, "files": files, "admin": admin, "planted": planted, "control": control}


def at_the_api(stage: Stage) -> dict[str, int]:
    """How often each word was told; nothing of it is stored."""
    told: dict[str, int] = {}
    before = counted(stage)
    for field, kind in FIELDS.items():
        for value in LITERALS:
            for written in (value, f'"{value}"'):
                event = {"id": str(uuid.uuid4()), "type": kind, "shopper": "h1", "sku": "p1", "order": ODD, field: "@"}
                word = raw(stage, DOCUMENT, {"events": [event]}, written, "trackEvents")
                told[word] = told.get(word, 0) + 1
    for value in LITERALS:
        for written in (value, f'"{value}"'):
            product = {"sku": "p1", "title": "Thing 1", "price": "@"}
            word = raw(stage, UPSERT, {"p": [product]}, written, "upsertProducts")
            told[word] = told.get(word, 0) + 1
    assert counted(stage) == before, "an odd number was stored"
    assert not [word for word in told if is_ours(word)], f"odd numbers were failures of ours: {told}"
    assert raw(stage, UPSERT, {"p": [{"sku": "p1", "title": "Thing 1", "price": "@"}]}, '"-0"', "upsertProducts") == ""
    ((zero,),) = stage.shop.rows("select cast(price as text) from reco_products_product where sku = 'p1'")
    assert not str(zero).startswith("-"), f"minus nothing is kept as {zero}"
    return told


def raw(stage: Stage, document: str, variables: dict[str, Any], written: str, answer: str) -> str:
    """Send JSON with this in place of "@"; a word for the refusal, empty where it was taken."""
    body = json.dumps({"query": document, "variables": variables}).replace('"@"', written)
    headers = {"Authorization": f"Bearer {stage.shop.key}", "Content-Type": "application/json"}
    reply = httpx.post(f"http://127.0.0.1:{stage.port}/graphql/", content=body, headers=headers, timeout=20)
    told = reply.json()
    if errors := told.get("errors"):
        return f"{reply.status_code} {errors[0].get('extensions', {}).get('code', 'without a code')}"
    rejected = told["data"][answer]["rejected"]
    return f"rejected {rejected[0]['code']}" if rejected else ""


def counted(stage: Stage) -> int:
    """Events and prices that an odd number came in with."""
    ((events,),) = stage.shop.rows(f"select count(*) from reco_events_event where \"order\" = '{ODD}'")
    ((prices,),) = stage.shop.rows("select count(*) from reco_products_product where sku = 'p1' and price is not null")
    return int(events) + int(prices)


def in_files(stage: Stage) -> dict[str, str]:
    """Each row of two files is odd, and each is rejected."""
    found, odd = {}, [each for each in LITERALS if each != "1e999"]
    rows: dict[str, list[dict[str, str]]] = {
        "import_events": [
            {"shopper": "h1", "sku": "p1", "type": kind.lower(), "order": ODD, field: value}
            for field, kind in FIELDS.items()
            for value in odd
        ],
        "import_products": [{"sku": "p1", "title": "Thing 1", "price": value} for value in odd],
    }
    for row in rows["import_events"]:
        row["occurred_at"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600))
    before = counted(stage)
    for command, lines in rows.items():
        path = stage.shop.folder / f"{command}.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(dict.fromkeys(name for line in lines for name in line)))
            writer.writeheader()
            writer.writerows(lines)
        source = ["--source", "odd"] if command == "import_events" else []
        said = stage.shop.run("manage.py", command, str(path), *source, seconds=600)
        assert f"{len(lines)} rejected" in said, f"{command}: {said}"
        found[command] = f"{len(lines)} of {len(lines)} rejected"
    assert counted(stage) == before, "an odd number of a file was stored"
    return found


def in_the_admin(stage: Stage) -> dict[str, str]:
    """The form of a rule: odd points are refused, and ten are not."""
    ((product,),) = stage.shop.rows("select id from reco_products_product where sku = 'p1'")
    form = {"action": "boost", "product": str(product), "active": "on"}
    form |= {f"{name}_{k}": "" for name in ("starts_at", "ends_at") for k in (0, 1)}
    with httpx.Client(base_url=f"http://127.0.0.1:{stage.port}", timeout=30) as client:
        stage.shop.staff(client)
        token = token_in(client.get(RULE).text)

        def status(points: str) -> int:
            return client.post(RULE, data={**form, "points": points, "csrfmiddlewaretoken": token}).status_code

        found = {value: status(value) for value in ("nan", "inf", "-inf", "1e999")}
        assert set(found.values()) == {200}, f"the admin took odd points: {found}"
        assert status("0.5") == 302, "the admin refuses good points as well: the probe tells nothing"
    stage.hand.do("execute('delete from reco_recommendations_rule')")
    return dict.fromkeys(found, "refused")


def behind_the_doors(stage: Stage) -> dict[str, Any]:
    """A few rows are made odd by SQL; what the database itself refuses cannot be planted."""
    storage = "postgresql" if stage.shop.database else "sqlite"
    bought = "Event.objects.filter(type='purchase', order__contains='-').values_list('pk', flat=True)"
    keys = stage.hand.do(f"[str(each) for each in {bought}]")  # no order of the buyer's: those must all stay
    refused, planted, expected = 0, {}, dict[str, int]()
    for column, values in PLANTED[storage].items():
        for value in values:
            key = keys.pop()
            key = key if stage.shop.database else key.replace("-", "")
            try:
                stage.hand.do(f"execute({f'update reco_events_event set {column} = {value} where id = {key!r}'!r})")
            except AssertionError:
                refused += 1
            else:
                planted[key] = f"{column} {value}"
                rule = RULES[column]
                expected[rule] = expected.get(rule, 0) + 1
    counts = {}
    for kind in SHAPES:
        run = stage.ask(kind)
        state, why = stage.ended(run)
        assert state == "done", f"{kind}, with odd rows planted, {state}: {why}"
        ((report,),) = stage.shop.rows(f"select cleaning from reco_recommendations_trainingrun where id = {run}")
        rules = (report if isinstance(report, dict) else json.loads(report))["rules"]
        found = {each["name"]: each["dropped"] + each["changed"] for each in rules}
        counts[kind] = {name: n for name, n in found.items() if n and name in RULES.values()}
    assert not (bad := not_finite(stage.artifacts)), f"not finite: {bad}"
    told = f"{planted} are planted; counted were {counts}"
    assert expected, "the database refused all of it: the probe planted nothing"
    assert all(each == expected for each in counts.values()), f"not each planted row was counted, and once: {told}"
    stage.said(stage.reader, "PERSONAL")
    for key in planted:
        stage.hand.do(f"execute({f'delete from reco_events_event where id = {key!r}'!r})")
    return {"refused_by_the_database": refused, "planted": list(planted.values()), "counted": counts[KINDS[0]]}


def texts(folder: Path, server: str, *, events: int, rounds: int, seed: int) -> dict[str, Any]:
    """Odd texts are stored or refused by name; ten megabytes are refused unread, by API and beacon."""
    folder.mkdir(parents=True, exist_ok=True)
    shop = LiveShop(folder, server=server, FAULTS_EVENTS_EACH="1", FAULTS_SHOPPERS="5")
    try:
        port = free_port()
        web = shop.serve(port)
        reader = Reader(port, shop.key)
        searched = {name: search(reader, text) for name, text in TEXTS.items()}
        assert {name for name, word in searched.items() if word} == set(REFUSED), f"searches: {searched}"
        long = {"search": search(reader, "x" * 257), "review": review(reader, "x" * 5001)}
        assert all(word and not is_ours(word) for word in long.values()), f"texts that are too long: {long}"
        reviewed = {name: review(reader, text) for name, text in TEXTS.items()}
        assert {name for name, word in reviewed.items() if word} == set(REFUSED), f"reviews: {reviewed}"
        assert not [word for word in (*searched.values(), *reviewed.values()) if is_ours(word)]
        rise = risen(web, port)
        assert rise["MB"] <= RISE, f"the memory rose by {rise['MB']} MB"
        assert set(rise["statuses"]) <= {"413", "hung up"}, f"ten megabytes: {rise}"
        assert "413" in rise["statuses"], f"ten megabytes: {rise}"
        kill(web)
        web = shop.serve(port, FAULTS_BODY_BYTES=str(4 * MEGABYTES * 10**6))
        let_in = risen(web, port)
        assert let_in["MB"] > RISE, f"the probe does not see a body that is read: {let_in}"
        return {"search": searched, "review": reviewed, "too_long": long, "refused": rise, "let_in": let_in,
                "control": "fires"}  # fmt: skip
    finally:
        shop.end()


def search(reader: Reader, text: str) -> str:
    return reader.post(SEARCH, {"s": text})[0]


def review(reader: Reader, text: str) -> str:
    """A word for the refusal; empty where it is stored as it came."""
    said = {"id": str(uuid.uuid4()), "type": "REVIEW", "shopper": "h1", "sku": "p1", "text": text}
    wrong, data = reader.post(DOCUMENT, {"events": [said]})
    rejected = [] if wrong else data["trackEvents"]["rejected"]
    return wrong or (f"rejected {rejected[0]['code']}" if rejected else "")


def risen(web: Any, port: int) -> dict[str, Any]:
    """By how many MB the memory of the web process rises at most while it is sent ten megabytes, and what it says."""
    large = json.dumps({"query": SEARCH, "variables": {"s": "x" * MEGABYTES * 10**6}}).encode()
    doors = {"/graphql/": "application/json", "/events/beacon/": "text/plain"}
    for path, kind in doors.items():  # what any first request loads is no part of the measure
        post(port, path, large[:200_000], kind)
    before, highest, stop = resident(web), [0], threading.Event()

    def watch() -> None:
        while not stop.is_set():
            highest[0] = max(highest[0], resident(web))
            time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    statuses = [post(port, path, large, kind) for path, kind in doors.items() for _ in range(5)]
    stop.set()
    watcher.join()
    told = {status: statuses.count(status) for status in statuses}
    return {"MB": round(max(0, highest[0] - before) / 1e6, 1), "statuses": told}


def post(port: int, path: str, body: bytes, kind: str) -> str:
    """The status; a server may hang up on a body that it has refused already."""
    origin = f"http://127.0.0.1:{port}"
    headers = {"Content-Type": kind, "Origin": origin}
    try:
        return str(httpx.post(origin + path, content=body, headers=headers, timeout=20).status_code)
    except httpx.TransportError:
        return "hung up"


def resident(web: Any) -> int:
    """Bytes of memory that a process and its children use."""
    pages = 0
    for pid in group_of(web):
        try:
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except OSError:
            continue  # it ended meanwhile
    return pages * os.sysconf("SC_PAGE_SIZE")
