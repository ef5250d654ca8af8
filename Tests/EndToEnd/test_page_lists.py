"""Runs, searches and logs on the pages, with a stand-in for Porter's interface."""

from __future__ import annotations

import re
from urllib.parse import parse_qs

import page_states
from browsing import open_in, settle


def test_new_runs_wait_for_a_click_and_known_ones_change_in_their_place(page, server):
    page.clock.install()
    open_in(page, server, "/tasks/", "filled")
    first = page.locator("#rows tr").first.get_attribute("data-id")
    done = page_states.task(1, duration_ms=61_000)
    fresh = page_states.task(9, "queued")
    server.answers["GET /api/tasks"] = (200, {"tasks": [fresh, done], "next": None})
    page.clock.fast_forward(3_000)

    page.get_by_role("button", name="Show 1 new run").wait_for()
    assert page.locator("#rows tr").first.get_attribute("data-id") == first
    assert page.locator("#rows tr").first.get_by_text("Done").is_visible()
    page.get_by_role("button", name="Show 1 new run").click()
    assert page.locator("#rows tr").first.get_attribute("data-id") == fresh["id"]


def test_a_search_goes_on_until_something_is_found(page, server):
    found = page_states.task(4)
    pages = {"": ([], "A"), "A": ([], "B"), "B": ([found], None)}

    def answer(_, query):
        tasks, following = pages[parse_qs(query).get("cursor", [""])[0]]
        return 200, {"tasks": tasks, "next": following}

    server.answers["GET /api/tasks"] = answer
    page.goto("/tasks/?search=flaky")
    settle(page)

    assert [row.get_attribute("data-id") for row in page.locator("#rows tr").all()] == [found["id"]]
    assert page.locator("#more").is_hidden()


def test_a_search_that_finds_nothing_stops_after_20_pages_and_leads_on(page, server):
    server.answers["GET /api/tasks"] = (200, {"tasks": [], "next": "A"})
    page.goto("/tasks/?search=flaky")
    settle(page)

    assert page.get_by_text("None of the newest runs is like this.").is_visible()
    assert "cursor=A" in page.get_by_role("link", name="Older").get_attribute("href")
    assert len([call for call in server.asked if call[1].startswith("/api/tasks?")]) == 20


def test_asking_stops_after_an_error_and_goes_on_at_a_click(page, server):
    page.clock.install()
    open_in(page, server, "/tasks/", "filled")
    server.answers["GET /api/tasks"] = page_states.CUT
    page.clock.fast_forward(3_000)
    page.get_by_role("heading", name="Porter cannot be reached").wait_for()
    assert page.locator("#rows tr").count() == 6
    asked = len(server.asked)
    page.clock.fast_forward(60_000)
    assert len([call for call in server.asked[asked:] if "/api/tasks" in call[1]]) == 0

    server.answers = page_states.answers("filled")
    page.get_by_role("button", name="Try again").click()
    page.locator("#wait .notice").wait_for(state="detached")


def test_a_log_shows_colours_and_no_other_control_codes(page, server):
    open_in(page, server, page_states.PAGES["run"], "filled")
    log = page.locator("#log")
    page.get_by_text("step 40 of 40").wait_for()
    text = log.text_content()

    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
    assert log.locator(".ansi-1").text_content() == "FAILED"
    assert log.evaluate("log => log.scrollHeight - log.scrollTop - log.clientHeight < 8")
