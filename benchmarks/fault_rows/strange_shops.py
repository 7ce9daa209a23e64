"""Shops with nothing in them or almost nothing, and questions about what is not there."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from tests.faults.live_shop import free_port, kill, wait_for

from .stage import KINDS, Stage, on_stage

MOST_PAGES = 200
LINK = re.compile(r'href="(/[^"#]*)')
LEFT_ALONE = ("/admin/logout", "/static/", "/media/", "/admin/jsi18n", "/i18n/")
SHOPS = {
    "one shopper": {"FAULTS_SHOPPERS": "1", "FAULTS_EVENTS_EACH": "6"},
    "one product": {"FAULTS_PRODUCTS": "1"},
    "all identical": {"FAULTS_PRODUCTS": "5", "FAULTS_ALIKE": "1", "FAULTS_EVENTS_EACH": "5"},
}
QUESTIONS = {
    "product(id: $id)": "id: ID", "product(sku: $id)": "id: String", "similarProducts(product: $id)": "id: ID!",
    "boughtTogether(products: [$id])": "id: ID!", "portraitEvidence(kind: $id, key: $id)": "id: String!",
    "recommendations(context: {products: [$id]})": "id: ID!", "recommendations(placement: $id)": "id: String!",
    "recommendations(after: $id)": "id: String", "recommendations(filter: {category: $id})": "id: String",
    "products(filter: {brand: $id})": "id: String", "products(after: $id)": "id: String",
}  # fmt: skip
BODIES = {"product": "{ id }", "products": "{ edges { node { id } } }", "portraitEvidence": "{ __typename }"}
STRANGERS = (
    "0", "-1", "1e9", str(2**63), str(10**30), "", "\u202e", "x" * 200, "%00", "UHJvZHVjdDox", str(uuid.UUID(int=0)),
)  # fmt: skip


def empty(folder: Path, server: str, *, events: int, rounds: int, seed: int) -> dict[str, Any]:
    """A fresh database: lists are empty, trainings say that there is nothing, pages open; then the goods arrive."""
    stage = Stage(folder, server, trained=False, FAULTS_SHOPPERS="0", FAULTS_PRODUCTS="0")
    try:
        for part in ("beat", "worker", "web"):
            stage.start(part)
        assert (said := stage.reader.ask()) == "NEWEST, empty", f"a list of an empty shop: {said}"
        told = {}
        for kind in (*KINDS, "hybrid", "buy_again"):
            state, why = stage.ended(stage.ask(kind))
            assert state == "failed", f"{kind} of an empty shop: {state}"
            assert why, f"{kind} of an empty shop {state} without a word"
            told[kind] = why
        pages = crawl(stage)
        assert not pages["broken"], f"pages that fail: {pages['broken']}"
        control = broken_table(stage)
        del stage.shop.environment["FAULTS_SHOPPERS"], stage.shop.environment["FAULTS_PRODUCTS"]
        stage.shop.run("-m", "tests.faults.plant")
        stage.buyer.start()
        for kind in KINDS:
            state, why = stage.ended(stage.ask(kind))
            assert state == "done", f"once there were goods {kind} {state}: {why}"
        wait_for(lambda: stage.buyer.acknowledged, "an event")
        return {"trainings": told, "pages": len(pages["seen"]), "control": control, "epilogue": stage.epilogue()}
    finally:
        stage.__exit__()


def crawl(stage: Stage, start: tuple[str, ...] = ("/", "/admin/")) -> dict[str, list[str]]:
    """Every page that links lead to from there, signed in; the broken are those with a status of 500 or more."""
    found: dict[str, list[str]] = {"seen": [], "broken": []}
    waiting, known = list(start), set(start)
    with httpx.Client(base_url=f"http://127.0.0.1:{stage.port}", timeout=30) as client:
        stage.shop.staff(client)
        while waiting and len(found["seen"]) < MOST_PAGES:
            page = waiting.pop(0)
            answer = client.get(page, follow_redirects=True)
            found["seen"].append(page)
            if answer.status_code >= 500:
                found["broken"].append(f"{page}: {answer.status_code}")
            links = [link.replace("&amp;", "&") for link in LINK.findall(answer.text)]
            new = [link for link in links if link not in known and not link.startswith(LEFT_ALONE)]
            known |= set(new)
            waiting += dict.fromkeys(new)
    return found


def broken_table(stage: Stage) -> str:
    """The crawl does see a page that fails: a table is away for a moment."""
    table = "reco_recommendations_rule"
    stage.hand.do(f"execute('alter table {table} rename to aside')")
    broken = crawl(stage, ("/admin/reco_recommendations/rule/",))["broken"]
    stage.hand.do(f"execute('alter table aside rename to {table}')")
    assert broken, "the crawl does not see a page that fails"
    return "fires"


def nearly_empty(folder: Path, server: str, *, events: int, rounds: int, seed: int) -> dict[str, Any]:
    """One shopper, one product, all alike: what is trained serves, and each number that was learnt is finite."""
    found = {}
    for name, made in SHOPS.items():
        stage = Stage(folder / name.replace(" ", "-"), server, trained=False, **made)
        try:
            stage.reader.shopper = "h0"
            told = {}
            for kind in (*KINDS, "trending", "buy_again", "hybrid"):
                stage.ask(kind)
                stage.hand.do("work_off()")
            rows = stage.shop.rows("select recommender_id, state, why from reco_recommendations_trainingrun")
            for kind, state, why in rows:
                assert (state == "done") or "rror" not in why, f"{name}: {kind} {state}: {why}"
                told[kind] = f"{state} {why}".strip()
            assert not (bad := not_finite(stage.artifacts)), f"{name}: not finite: {bad}"
            port = free_port()
            web = stage.shop.serve(port)
            stage.reader.port = port
            said = [stage.reader.ask() for _ in range(3)]
            assert all(each.split(",")[0] in ("PERSONAL", "POPULAR", "NEWEST") for each in said), f"{name}: {said}"
            kill(web)
            found[name] = {"trainings": told, "list": said[0]}
        finally:
            stage.shop.end()
    return {**found, "control": probe_of_numbers(folder)}


def not_finite(artifacts: Path) -> list[str]:
    """Arrays of numbers that hold NaN or infinity where they may not."""
    return [
        f"{path.parent.name[:8]}/{path.name}"
        for path in sorted(artifacts.glob("*/*.npy"))
        if (array := np.load(path, allow_pickle=False)).dtype.kind == "f" and not np.isfinite(array).all()
    ]


def probe_of_numbers(folder: Path) -> str:
    (folder / "planted" / "one").mkdir(parents=True)
    np.save(folder / "planted" / "one" / "scores_.npy", np.array([1.0, np.nan]))
    assert not_finite(folder / "planted"), "the probe does not see a NaN"
    return "fires"


@on_stage
def strangers(stage: Stage, *, rounds: int, seed: int) -> dict[str, Any]:
    """Ids that nothing has, in every argument that takes one: typed or a rung down, never a failure of ours."""
    words: dict[str, int] = {}
    for question, variable in QUESTIONS.items():
        name = question.split("(")[0]
        document = f"query(${variable}) {{ {question} {BODIES.get(name, '{ rung edges { node { id } } }')} }}"
        for stranger in STRANGERS:
            wrong, _ = stage.reader.post(document, {"id": stranger}, **{"X-Shopper": "nobody we know"})
            word = wrong or "answered"
            assert not is_ours(word), f"{question} of {stranger!r}: {word}"
            words[word] = words.get(word, 0) + 1
    stage.said(stage.reader, "PERSONAL")
    stage.said(stage.buyer, "acknowledged")
    return {"answers": words, "control": unlisted(stage)}


def is_ours(word: str) -> bool:
    """Whether an answer tells of a failure that is the shop's own."""
    return word.startswith("5") or word.endswith("INTERNAL")


def unlisted(stage: Stage) -> str:
    """The probe does see a failure of ours: the table of products is away for a moment."""
    stage.hand.do("execute('alter table reco_products_brand rename to aside')")
    document = "query($id: String) { products(filter: {brand: $id}) { edges { node { id } } } }"
    wrong, _ = stage.reader.post(document, {"id": "x"})
    stage.hand.do("execute('alter table aside rename to reco_products_brand')")
    assert is_ours(wrong), f"the probe does not see a failure: {wrong or 'answered'}"
    return "fires"
