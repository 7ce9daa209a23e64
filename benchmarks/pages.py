"""The demo shop's pages in a browser: ``python -m benchmarks.pages``, JSON out.

Headless Chromium opens each page with an empty cache, as a newcomer and as a household with a history: largest
contentful paint, layout shift, bytes and requests, as Lighthouse measures them. The aims are at the end of the report.

The demo's shop is set up once in ``var/bench-slice``; ``--address http://127.0.0.1:8000`` takes one that runs.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import chromium

from .machine import device, tell
from .serving_journey import wait_until_ready

OBSERVE = """
window.__seen = { lcp: 0, cls: 0 };
const observe = (type, take) => {
  new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
};
observe("largest-contentful-paint", ({ startTime }) => { __seen.lcp = startTime; });
observe("layout-shift", ({ value, hadRecentInput }) => { if (!hadRecentInput) __seen.cls += value; });
"""
AIMS = {"lcp_ms": 1000, "cls": 0.02, "kb_without_images": 150}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", default="", help="of a demo shop that runs")
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--rounds", type=int, default=7, help="visits of each page; the median counts")
    options = parser.parse_args()
    with a_shop(options) as address, sync_playwright() as playwright:
        path = chromium()
        if path is None:
            raise SystemExit("there is no Chromium: apt-get install chromium, or playwright install chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        report: dict[str, Any] = {"device": device(), "browser": browser.version, "rounds": options.rounds}
        for width in (1280, 390):
            for who in ("newcomer", "household"):
                for name, place in pages_of(browser, address):
                    tell(f"{name}, {who}, {width} px")
                    visits = [visit(browser, address, place, who, width) for _ in range(options.rounds)]
                    report[f"{name}, {who}, {width} px"] = median(visits)
        browser.close()
    home = [each for name, each in report.items() if name.startswith("home")]
    report["aims of the home page"] = {
        f"{what} < {most}": all(each[what] < most for each in home) for what, most in AIMS.items()
    }
    print(json.dumps(report, indent=1))


@contextmanager
def a_shop(options: argparse.Namespace) -> Iterator[str]:
    """Its address: one that runs, or the demo's own until the end."""
    if options.address:
        yield options.address.rstrip("/")
        return
    environment = {**os.environ, "DEMO_DIR": str(Path("var/bench-slice").resolve())}
    command = [sys.executable, "manage.py", "demo", "--port", str(options.port)]
    shop = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        wait_until_ready(shop)
        yield f"http://127.0.0.1:{options.port}"
    finally:
        shop.send_signal(signal.SIGTERM)
        shop.wait(20)


def pages_of(browser: Browser, address: str) -> list[tuple[str, str]]:
    page = browser.new_page()
    page.goto(address)
    links = page.locator("main a").evaluate_all("all => all.map((link) => link.getAttribute('href'))")
    page.close()
    first = {kind: next(each for each in links if each.startswith(f"/{kind}/")) for kind in ("product", "category")}
    return [("home", "/"), *first.items(), ("search", "/search/?q=milk")]


def visit(browser: Browser, address: str, place: str, who: str, width: int) -> dict[str, float]:
    """One page with an empty cache, from the first byte that is asked for until the network is quiet."""
    context = browser.new_context(viewport={"width": width, "height": 844})
    page = context.new_page()
    if who == "household":
        shop_as_first(page, address)
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    kinds: dict[str, str] = {}
    loaded: list[tuple[str, float]] = []
    session.on("Network.responseReceived", lambda told: kinds.update({told["requestId"]: told["type"]}))
    session.on(
        "Network.loadingFinished",
        lambda told: loaded.append((kinds.get(told["requestId"], ""), told["encodedDataLength"])),
    )
    page.add_init_script(OBSERVE)
    page.goto(address + place, wait_until="networkidle")
    page.mouse.wheel(0, 600)  # what comes into view late may push something away
    page.wait_for_timeout(400)
    seen = page.evaluate("__seen")
    first_byte = page.evaluate("performance.getEntriesByType('navigation')[0].responseStart")
    context.close()
    told = [size for kind, size in loaded if kind != "Image"]
    return {
        "lcp_ms": seen["lcp"],
        "cls": seen["cls"],
        "first_byte_ms": first_byte,
        "kb_without_images": sum(told) / 1024,
        "kb": sum(size for _, size in loaded) / 1024,
        "requests": len(loaded),
        "requests_without_images": len(told),
    }


def shop_as_first(page: Page, address: str) -> None:
    page.goto(address)
    page.select_option("#household", index=1)
    page.click(".switcher button")
    page.wait_for_url(re.compile(re.escape(address)))
    page.wait_for_load_state("networkidle")


def median(visits: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(statistics.median(each[name] for each in visits), 4) for name in visits[0]}


if __name__ == "__main__":
    main()
