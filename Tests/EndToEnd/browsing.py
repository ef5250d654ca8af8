"""A real browser, and what is asked of every page in it."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import page_states
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
WIDTHS = [320, 768, 1440]
SCHEMES = ["light", "dark"]
AXE_OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], "resultTypes": ["violations"],
}


@contextlib.contextmanager
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def sound_page(browser, base_url=None, height: int = 900):
    """A page of a fresh browser; what it complains of fails the test."""
    context = browser.new_context(base_url=base_url, viewport={"width": 1000, "height": height})
    page = context.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if is_fault(line) else None)
    try:
        yield page
    finally:
        context.close()
    assert faults == []


def is_fault(line) -> bool:
    """What a page says when a call is refused is its matter; everything else is a fault of the page."""
    return line.type in ("error", "warning") and not line.text.startswith("Failed to load resource")


def settle(page, state: str = "filled") -> None:
    """Waits until the page shows what it has to show in that state."""
    if page.locator("#wait").count() == 0:
        return
    if state == "slow":
        page.get_by_role("button", name="Try again").first.wait_for()
    else:
        page.locator("#ready:not([hidden]), #landing:not([hidden]), #wait .notice").first.wait_for()
    page.locator(".quiet.new").first.wait_for(state="detached")


def violations(page, rules: dict = AXE_OPTIONS) -> list[str]:
    found = Axe().run(page, options=rules).response["violations"]
    return [f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:300]}" for one in found for node in one["nodes"]]


def take_picture(page, name: str, scheme: str = "light") -> None:
    """For people to look at, when PORTER_PICTURES names a folder."""
    folder = os.environ.get("PORTER_PICTURES")
    if folder:
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def open_in(page, server, path: str, state: str) -> None:
    server.answers = page_states.answers(state)
    if state == "slow":
        page.clock.install()
    page.goto(path)
    if state == "slow":
        page.locator("#wait .quiet").wait_for()
        page.clock.fast_forward(16_000)
    settle(page, state)
