"""A real browser on a real server; without Chromium the tests say loudly that they did not run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop runs beside the ORM


def chromium() -> str | None:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        with sync_playwright() as playwright:
            own = Path(playwright.chromium.executable_path)
            found = str(own) if own.exists() else None
    return found


@pytest.fixture(scope="session")
def browser_path():
    path = chromium()
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("BROWSER TESTS DID NOT RUN: there is no Chromium")
        pytest.skip("BROWSER TESTS DID NOT RUN: there is no Chromium")
    return path


@pytest.fixture(scope="package")
def chrome(browser_path):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def tab(chrome):
    """A page in a profile of its own."""
    page = chrome.new_page()
    page.set_default_timeout(15_000)
    yield page
    for context in chrome.contexts:
        context.close()
