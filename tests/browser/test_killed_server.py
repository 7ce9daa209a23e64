"""A shop whose server is killed again and again while a page tells it something, and is started again."""

from __future__ import annotations

import pytest

from tests.faults.live_shop import LiveShop, free_port, kill

pytestmark = [pytest.mark.browser, pytest.mark.faults]
STORED = "Object.keys(localStorage).filter((key) => key.startsWith('reco:')).length"
CLICK = """() => {
  const link = document.querySelector("[data-placement=popular] .reco-link");
  link.addEventListener("click", (event) => event.preventDefault(), { once: true });
  link.click();
}"""
KILLS = 6


@pytest.fixture
def live(tmp_path):
    shop = LiveShop(tmp_path)
    yield shop
    shop.end()


def test_clicks_told_to_a_server_that_is_killed_are_stored_once_each(live, tab):
    port = free_port()
    process = live.serve(port)
    tab.goto(f"http://127.0.0.1:{port}/")
    tab.click('[data-consent="yes"]')
    tab.wait_for_selector(".withdraw")
    for turn in range(KILLS):
        tab.evaluate(CLICK)
        tab.wait_for_timeout(120 * turn)  # before the batch is sent, while it is, and after
        kill(process)
        tab.evaluate(CLICK)
        tab.wait_for_timeout(400)
        assert tab.evaluate(STORED) >= 1
        process = live.serve(port)
        tab.evaluate("dispatchEvent(new Event('online'))")
    for _ in range(200):
        if tab.evaluate(STORED) == 0:
            break
        tab.wait_for_timeout(100)
    assert tab.evaluate(STORED) == 0
    clicks = live.rows("select count(*) from reco_events_event where type = 'select_item'")
    assert clicks == [(2 * KILLS,)]
    assert live.rows("select count(*) from reco_events_rejectedevent") == [(0,)]
