"""What people are called, type and send is in no line that real processes write, and on no error page."""

from __future__ import annotations

import httpx
import pytest

from .live_shop import LiveShop, wait_for

pytestmark = pytest.mark.faults

MAIL, PHONE, KEY = "canary.mail@example.com", "+4917012345678", "deadbeef0123.canarykeycanarykeycanarykey"
SEARCH, NAME, WORD, ADDRESS = "canarysearch", "canaryname", "canaryword", "203.0.113.77"
CANARIES = [MAIL, PHONE, KEY, SEARCH, NAME, WORD, ADDRESS, "canary"]


@pytest.fixture
def live(tmp_path):
    shop = LiveShop(tmp_path)
    shop.environment |= {
        "DJANGO_SETTINGS_MODULE": "tests.faults.guarded_settings",
        "FAULTS_CANARY": f"{MAIL} {SEARCH}",
        "LOG_LEVEL": "DEBUG",
        "FAULTS_METRICS_TOKEN": "a token of some length",
    }
    yield shop
    shop.end()


def graphql(client, document, variables=None, **headers):
    return client.post("/graphql/", json={"query": document, "variables": variables or {}}, headers=headers)


def knock_at_every_door(live, client: httpx.Client) -> list[httpx.Response]:
    """Send canaries everywhere; returns the answers that are pages of an error, and the metrics."""
    server = {"Authorization": f"Bearer {live.key}", "X-Shopper": NAME}
    client.headers.update({"User-Agent": f"browser {WORD}", "Referer": f"http://x/{WORD}", "X-Forwarded-For": ADDRESS})
    client.headers["X-Request-ID"] = f"{NAME}-{WORD}"
    client.cookies.set("reco_visitor", WORD)
    consent = "mutation { updateConsent(input: {personalisation: true}) { consents { granted } } }"
    assert graphql(client, consent, **server).status_code == 200
    track = "mutation($e: [EventInput!]!) { trackEvents(events: $e) { accepted rejected { code } } }"
    events = [
        {"id": "00000000-0000-4000-8000-000000000001", "type": "SEARCH", "query": f"{SEARCH} {MAIL} {PHONE}"},
        {"id": "00000000-0000-4000-8000-000000000002", "type": "REVIEW", "sku": "unheard", "text": MAIL},
    ]
    told = graphql(client, track, {"e": events}, **server).json()["data"]["trackEvents"]
    assert (told["accepted"], len(told["rejected"])) == (1, 1)
    graphql(client, track, {"e": [{"id": MAIL, "type": SEARCH}]}, **server)
    graphql(client, f'{{ products(search: "{SEARCH}") {{ edges {{ node {{ id }} }} }} }}')
    graphql(client, f"{{ {WORD} }}")
    graphql(client, f"{{ products(search: {MAIL}")
    client.post("/graphql/", content=MAIL, headers={"Content-Type": "application/json"})
    refused = {"Authorization": f"Bearer {KEY}", "X-Shopper": MAIL}
    assert graphql(client, "{ me { known } }", **refused).status_code == 403
    client.get("/search/", params={"q": f"{SEARCH} {MAIL}"})
    login = client.get("/admin/login/")
    assert login.status_code == 200
    token = client.cookies["csrftoken"]
    form = {"username": MAIL, "password": WORD, "csrfmiddlewaretoken": token}
    assert client.post("/admin/login/", data=form).status_code == 200
    client.get(f"/graphql/exports/{KEY}/")
    pages = [
        client.get(f"/{MAIL}/{WORD}/", params={"phone": PHONE}),
        client.get(f"/product/{NAME}/"),
        client.post("/breaks/", params={"q": SEARCH}, content=f"{MAIL} {PHONE}"),
        client.post("/cart/", data={"action": MAIL}),
        client.get("/", headers={"Host": f"{WORD}.example.com"}),
        client.get("/metrics", headers={"Authorization": f"Bearer {WORD}"}),
        client.get("/metrics", headers={"Authorization": f"Bearer {live.environment['FAULTS_METRICS_TOKEN']}"}),
    ]
    assert [page.status_code for page in pages] == [404, 404, 500, 403, 400, 401, 200]
    assert 'shop_reco_events_rejected_total{code="UNKNOWN_PRODUCT"' in pages[-1].text
    return pages


def written(live) -> str:
    return "".join(path.read_text(errors="replace") for path in live.folder.glob("*.log"))


def run(live) -> list[httpx.Response]:
    client = live.web()
    live.worker()
    pages = knock_at_every_door(live, client)
    live.run("-c", "import django; django.setup(); import shop_reco.celery;"
             "from tests.faults.breaking import break_down; break_down.delay()")  # fmt: skip
    wait_for(lambda: "tests.faults.breaking.break_down" in written(live), "the task's failure")
    wait_for(lambda: live.rows("select 1 from django_celery_results_taskresult where status = 'FAILURE'"), "its row")
    return pages


def test_no_canary_is_in_any_output_or_on_an_error_page(live):
    pages = run(live)
    output = written(live)
    assert '"django.request"' in output
    assert "builtins.ValueError" in output
    assert [(name, output[max(0, output.find(name) - 300) :][:400]) for name in CANARIES if name in output] == []
    assert [name for name in CANARIES for page in pages if name in page.text] == []
    assert live.rows("select count(*) from reco_events_event where query like ?", f"%{SEARCH}%") == [(1,)]
    database = b"".join(path.read_bytes() for path in live.folder.glob("db.sqlite3*"))
    assert SEARCH.encode() in database
    assert ADDRESS.encode() not in database


def test_the_same_probe_finds_them_in_plain_logs(live):
    live.environment["FAULTS_PLAIN_LOGS"] = "1"
    run(live)
    output = written(live)
    assert {MAIL, SEARCH, WORD} <= {name for name in CANARIES if name in output}
