"""What a page tells the shop of its shopper: all of it, once in effect, and nothing before consent."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from shop_reco.events.models import Event, RejectedEvent
from shop_reco.users.models import Consent, Shopper

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
STORED = """Object.keys(localStorage).filter(
    (key) => key.startsWith('reco:') && !localStorage[key].includes('VIEW_ITEM_LIST'))"""
"""What waits of what the shopper did; that a list came into view is told beside it."""

NO_FETCH_TO_THE_BEACON = """
    const real = window.fetch;
    window.fetch = (url, ...rest) => (String(url).includes("beacon") ? new Promise(() => {}) : real(url, ...rest));
"""


@pytest.fixture
def tab(tab):
    """A tab whose browser can open others beside it."""
    context = tab.context.browser.new_context()
    page = context.new_page()
    page.set_default_timeout(15_000)
    yield page
    context.close()


@pytest.fixture
def home(live_server, settings, trained, tab):
    settings.DEBUG = True  # the visitor cookie of http
    tab.goto(live_server.url)
    return tab


@pytest.fixture
def known(home):
    """A visitor who allowed personal lists on the first page."""
    home.click('[data-consent="yes"]')
    home.wait_for_selector(".withdraw")
    return Shopper.objects.get(external_id=None)


def events_of(shopper, **which):
    return Event.objects.filter(shopper=shopper, **which).exclude(type="view_item_list")


def wait_for(come, tab, what):
    for _ in range(150):
        if come():
            return
        tab.wait_for_timeout(100)
    pytest.fail(f"{what} did not come within 15 s")


def product_page(live_server, shop, sku):
    return f"{live_server.url}/product/{shop.products[sku].public_id}/"


def block(tab):
    """Every call to the beacon fails, as with a server that is down; of a page that is left, no call is seen here."""
    tab.context.add_init_script("navigator.sendBeacon = () => false")
    tab.evaluate("navigator.sendBeacon = () => false")
    tab.context.route("**/events/beacon/**", lambda route: route.abort())


def unblock(tab):
    tab.context.unroute("**/events/beacon/**")


def test_the_client_is_small():
    assert Path(finders.find("shop_reco/reco.js")).stat().st_size < 5000


def test_before_consent_nothing_is_stored_anywhere(home, live_server, trained):
    rows = (Shopper.objects.count(), Event.objects.count(), RejectedEvent.objects.count())
    asked = []
    home.context.on("request", lambda request: asked.append(request.url))
    home.goto(product_page(live_server, trained, "Tea-1"))
    home.wait_for_selector("body[data-told]")
    home.goto(f"{live_server.url}/search/?q=tea")
    home.wait_for_selector("body[data-told]")
    home.goto(live_server.url)
    home.locator("[data-placement=popular] .reco-link").first.click()
    home.wait_for_selector("body[data-told]")
    assert home.evaluate("Object.keys(localStorage)") == []
    assert {cookie["name"] for cookie in home.context.cookies()} <= {"csrftoken"}
    assert (Shopper.objects.count(), Event.objects.count(), RejectedEvent.objects.count()) == rows
    assert not [url for url in asked if "beacon" in url]


def test_views_searches_and_clicks_are_told_and_answered(home, known, live_server, trained):
    home.goto(product_page(live_server, trained, "Tea-1"))
    home.wait_for_selector("body[data-told]")
    home.goto(f"{live_server.url}/search/?q=soap")
    home.wait_for_selector("body[data-told]")
    assert events_of(known, type="view_item").get().product.sku == "Tea-1"
    assert events_of(known, type="search").get().query == "soap"
    assert home.evaluate(STORED) == []


def test_a_click_outlives_its_page(home, known):
    card = home.locator("[data-placement=popular] .reco-card").first
    slate = home.locator("[data-placement=popular]").get_attribute("data-slate")
    card.locator(".reco-link").click()
    home.wait_for_selector("body[data-told]")
    wait_for(lambda: events_of(known, type="select_item").exists(), home, "the click")
    wait_for(lambda: home.evaluate(STORED) == [], home, "the answer")
    click = events_of(known, type="select_item").get()
    assert str(click.slate_id) == slate
    assert not RejectedEvent.objects.exists()


def test_a_list_is_told_as_seen_once_it_came_into_view(home, known):
    home.set_viewport_size({"width": 800, "height": 200})
    home.reload()
    seen = Event.objects.filter(shopper=known, type="view_item_list")
    slate = home.locator("[data-placement=popular]").get_attribute("data-slate")
    home.wait_for_timeout(1000)
    assert not seen.filter(slate_id=slate).exists()
    for place in (0, -1, 0):
        home.locator("[data-placement=popular] .reco-card").nth(place).scroll_into_view_if_needed()
        home.wait_for_timeout(300)
    wait_for(lambda: seen.filter(slate_id=slate).exists(), home, "the view of the list")
    assert seen.filter(slate_id=slate).count() == 1
    assert not RejectedEvent.objects.exists()


def test_the_last_event_of_a_tab_that_is_closed_arrives(home, known, live_server, trained):
    other = home.context.new_page()
    other.add_init_script(NO_FETCH_TO_THE_BEACON)  # so that only the goodbye of the page can bring it
    other.goto(product_page(live_server, trained, "Cheese-2"), wait_until="commit")
    wait_for(lambda: other.evaluate("localStorage.length") > 0, other, "the view in the queue")
    other.close(run_before_unload=True)
    wait_for(lambda: events_of(known, type="view_item").exists(), home, "the view")
    assert events_of(known, type="view_item").get().product.sku == "Cheese-2"


def test_what_happens_offline_is_sent_once_when_the_net_is_back(home, known, live_server, trained):
    home.goto(product_page(live_server, trained, "Tea-1"))
    home.wait_for_selector("body[data-told]")
    home.context.set_offline(True)
    home.locator("[data-placement=similar] .reco-link").first.evaluate(
        "link => { link.addEventListener('click', (event) => event.preventDefault()); link.click(); link.click(); }"
    )
    home.wait_for_timeout(1500)
    assert len(home.evaluate(STORED)) == 2
    assert not events_of(known, type="select_item").exists()
    home.context.set_offline(False)
    wait_for(lambda: home.evaluate(STORED) == [], home, "the answer")
    home.wait_for_timeout(1500)
    assert events_of(known, type="select_item").count() == 2
    assert not RejectedEvent.objects.exists()


def test_a_server_that_is_down_gets_what_waits_once_it_is_back(home, known, live_server, trained):
    block(home)
    home.goto(product_page(live_server, trained, "Tea-1"))
    home.wait_for_selector("body[data-told]")
    home.goto(product_page(live_server, trained, "Tea-2"))
    home.wait_for_selector("body[data-told]")
    assert len(home.evaluate(STORED)) == 2
    assert not events_of(known).exists()
    unblock(home)
    wait_for(lambda: home.evaluate(STORED) == [], home, "the answer")
    assert sorted(events_of(known).values_list("product__sku", flat=True)) == ["Tea-1", "Tea-2"]


def test_an_answer_that_was_lost_leads_to_a_repeat_that_counts_once(home, known, live_server, trained):
    answers = []

    def lose(route):
        answer = route.fetch().json()  # the server has stored it; the browser never hears
        if '"VIEW_ITEM"' in route.request.post_data:  # and not the goodbye of the page before
            answers.append(answer)
        route.abort()

    home.context.route("**/events/beacon/**", lose)
    home.goto(product_page(live_server, trained, "Tea-1"))
    home.wait_for_selector("body[data-told]")
    assert answers[0]["accepted"] == 1
    assert len(home.evaluate(STORED)) == 1
    unblock(home)
    with home.context.expect_event("response", lambda response: "beacon" in response.url) as again:
        home.reload()
    assert again.value.status == 200
    wait_for(lambda: home.evaluate(STORED) == [], home, "the answer")
    home.wait_for_timeout(500)
    assert events_of(known, type="view_item").count() == 2  # one for each time the page was opened
    assert not RejectedEvent.objects.exists()


def test_two_tabs_that_send_the_same_queue_store_each_event_once(home, known, live_server, trained):
    block(home)
    for n in range(4):
        home.goto(product_page(live_server, trained, f"Tea-{n}"))
        home.wait_for_selector("body[data-told]")
    tabs = [home.context.new_page() for _ in range(3)]
    for each in tabs:
        each.goto(live_server.url)
    unblock(home)
    for each in tabs:
        each.evaluate("dispatchEvent(new Event('online'))")
    wait_for(lambda: home.evaluate(STORED) == [], home, "the answer")
    home.wait_for_timeout(500)
    assert sorted(events_of(known).values_list("product__sku", flat=True)) == [f"Tea-{n}" for n in range(4)]
    assert not RejectedEvent.objects.exists()


def test_withdrawing_takes_as_few_clicks_as_giving_and_drops_what_waits(home, known, live_server, trained):
    block(home)
    home.goto(product_page(live_server, trained, "Tea-1"))
    home.wait_for_selector("body[data-told]")
    assert len(home.evaluate(STORED)) == 1
    home.click('[data-consent="stop"]')  # one click, like the Yes on the first page
    home.wait_for_selector(".withdraw", state="detached")
    assert home.evaluate(STORED) == []
    assert not Consent.objects.filter(shopper=known, granted=True, superseded_at=None).exists()
    unblock(home)
    home.goto(product_page(live_server, trained, "Tea-2"))
    home.wait_for_selector("body[data-told]")
    home.wait_for_timeout(500)
    assert not events_of(known).exists()


def test_a_queue_is_dropped_when_consent_was_withdrawn_elsewhere(home, known, live_server, trained):
    from shop_reco.users.services import decide_consent

    block(home)
    home.goto(product_page(live_server, trained, "Tea-1"))
    home.wait_for_selector("body[data-told]")
    decide_consent(shopper=known, decisions={"personalisation": False}, source="test")
    unblock(home)
    wait_for(lambda: home.evaluate(STORED) == [], home, "the refusal")
    assert not events_of(known).exists()


def test_the_statement_that_was_shown_is_what_is_recorded(home, known):
    row = Consent.objects.get(shopper=known)
    assert (row.purpose, row.text_version, row.text_language, row.source) == ("personalisation", "1", "en", "shop")


def test_a_browser_that_forbids_the_storage_still_tells(live_server, settings, trained, tab):
    settings.DEBUG = True
    tab.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } });"
    )
    tab.goto(live_server.url)
    tab.click('[data-consent="yes"]')
    tab.wait_for_selector(".withdraw")
    visitor = Shopper.objects.get(external_id=None)
    tab.locator("[data-placement=popular] .reco-link").first.click()
    tab.wait_for_selector("body[data-told]")
    wait_for(lambda: events_of(visitor).count() == 2, tab, "the view and the click")
    assert set(events_of(visitor).values_list("type", flat=True)) == {"select_item", "view_item"}


class Shop(BaseHTTPRequestHandler):
    """A server that plays the answers that a test gives it, and writes down what was sent."""

    heard: list
    answers: list

    def do_GET(self):
        script = self.path.startswith("/reco.js")
        body = Path(finders.find("shop_reco/reco.js")).read_bytes() if script else b"<!doctype html><title>shop</title>"
        self._reply(200, body, "text/javascript" if script else "text/html")

    def do_POST(self):
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.heard.append((self.headers["Content-Type"], self.path, sent))
        status, answer = self.answers.pop(0) if self.answers else (200, {"accepted": len(sent), "rejected": []})
        self._reply(status, json.dumps(answer).encode(), "application/json")

    def _reply(self, status, body, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def stub():
    """The client alone, on a page of its own: its address, what it sent, and what it is answered next."""
    handler = type("Handler", (Shop,), {"heard": [], "answers": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    handler.url = f"http://127.0.0.1:{server.server_port}"
    yield handler
    server.shutdown()
    server.server_close()


def start(tab, stub, **options):
    tab.goto(stub.url)
    tab.evaluate(
        """async (options) => {
          const { tracker } = await import('/reco.js');
          window.reco = tracker({ url: '/beacon', owner: 'me', wait: 20, ...options });
        }""",
        options,
    )


def track(tab, *events):
    tab.evaluate("async (events) => { events.forEach((each) => reco.track(each)); await reco.flush(); }", list(events))


def sent(stub):
    return [event for _type, _path, events in stub.heard for event in events]


def test_only_what_a_browser_may_say_leaves_it(tab, stub):
    start(tab, stub)
    track(tab, {"type": "PURCHASE", "sku": "a"}, {"type": "refund", "sku": "a"}, {"type": "buy", "sku": "a"})
    assert stub.heard == []
    track(tab, {"type": "VIEW_ITEM", "sku": "a", "price": 1, "currency": "USD", "order": "o", "shopper": "h1", "x": 2})
    ((media_type, path, (event,)),) = stub.heard
    assert media_type.startswith("text/plain")
    assert path == "/beacon?owner=me"
    assert set(event) == {"id", "type", "sku", "occurredAt"}


def test_a_failure_is_tried_again_with_the_same_ids(tab, stub):
    stub.answers += [(503, {}), (500, {}), (200, {"nonsense": 1})]
    start(tab, stub)
    track(tab, {"type": "VIEW_ITEM", "sku": "a"})
    wait_for(lambda: len(stub.heard) == 4, tab, "the fourth try")
    assert len({event["id"] for event in sent(stub)}) == 1
    wait_for(lambda: tab.evaluate(STORED) == [], tab, "the answer")


def test_what_can_never_be_taken_is_not_sent_for_ever(tab, stub):
    stub.answers += [(400, {"errors": []})]
    start(tab, stub)
    track(tab, {"type": "VIEW_ITEM", "sku": "a"})
    tab.wait_for_timeout(1500)
    assert len(stub.heard) == 1
    assert tab.evaluate(STORED) == []


def test_a_batch_that_is_too_large_is_halved(tab, stub):
    stub.answers += [(413, {}), (413, {})]
    start(tab, stub)
    track(tab, *({"type": "VIEW_ITEM", "sku": str(n)} for n in range(8)))
    assert [len(events) for _type, _path, events in stub.heard] == [8, 4, 2, 2, 2, 2]


def test_long_texts_are_sent_apart(tab, stub):
    start(tab, stub)
    track(tab, *({"type": "REVIEW", "sku": str(n), "text": "x" * 5000} for n in range(5)))
    assert [len(events) for _type, _path, events in stub.heard] == [2, 2, 1]


def test_the_queue_is_bounded_and_the_newest_stay(tab, stub):
    stub.answers += [(503, {})] * 100
    start(tab, stub, most=10)
    track(tab, *({"type": "VIEW_ITEM", "sku": str(n)} for n in range(30)))
    assert len(tab.evaluate(STORED)) <= 10
    stub.answers.clear()
    tab.evaluate("dispatchEvent(new Event('online'))")
    wait_for(lambda: tab.evaluate(STORED) == [], tab, "the answer")
    stored = {event["sku"] for event in sent(stub)[-10:]}
    assert stored == {str(n) for n in range(20, 30)}


def test_what_whoever_was_here_before_left_is_dropped(tab, stub):
    stub.answers += [(503, {})]
    start(tab, stub)
    track(tab, {"type": "VIEW_ITEM", "sku": "a"})
    assert len(tab.evaluate(STORED)) == 1
    start(tab, stub, owner="somebody else")
    assert tab.evaluate(STORED) == []
    start(tab, stub)
    before = len(stub.heard)
    tab.wait_for_timeout(500)
    assert len(stub.heard) == before


def test_a_page_without_consent_keeps_nothing_and_drops_what_it_finds(tab, stub):
    stub.answers += [(503, {})]
    start(tab, stub)
    track(tab, {"type": "VIEW_ITEM", "sku": "a"})
    start(tab, stub, owner="")
    track(tab, {"type": "VIEW_ITEM", "sku": "b"})
    assert tab.evaluate("Object.keys(localStorage)") == []
    assert {event["sku"] for event in sent(stub)} == {"a"}


@pytest.mark.parametrize("answer", [(409, {}), (200, {"accepted": 0, "rejected": [{"code": "CONSENT_REQUIRED"}]})])
def test_an_answer_that_nothing_may_be_kept_clears_the_queue_for_good(tab, stub, answer):
    stub.answers += [answer]
    start(tab, stub)
    track(tab, {"type": "VIEW_ITEM", "sku": "a"})
    assert tab.evaluate(STORED) == []
    track(tab, {"type": "VIEW_ITEM", "sku": "b"})
    assert [event["sku"] for event in sent(stub)] == ["a"]
