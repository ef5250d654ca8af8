"""A copy of a person's settings in a private gist: switched on and off on the page, seen at the playground's GitHub."""

from __future__ import annotations

import json

import pytest
from browsing import sound_page, violations
from conftest import make_stack
from outside import Person
from stack import wait_for

KEY = "sk-ant-gist-0123456789-nobody-may-see-this"


@pytest.fixture
def stack(folder):
    with make_stack(folder) as stack:
        yield stack


@pytest.fixture
def page(browser, stack):
    """The settings page of mona, who has just signed in."""
    with sound_page(browser, stack.porter_url) as page:
        page.goto("/api/auth/github?return=%2Fsettings%2F")
        page.get_by_label("Signed in as").select_option("mona")
        page.get_by_role("button", name="Authorize").click()
        page.get_by_role("heading", name="A copy in a gist").wait_for()
        yield page


def gists(stack) -> list[dict]:
    return stack.control("GET", "/state")["gists"]


def content(stack) -> dict:
    [gist] = gists(stack)
    assert list(gist["files"]) == ["porter-settings.json"]
    return json.loads(gist["files"]["porter-settings.json"]["content"])


def effects(stack) -> list[str]:
    return [one["kind"] for one in stack.control("GET", "/effects")["effects"] if one["kind"].startswith("gist.")]


def save_limit(page, seconds: str) -> None:
    page.get_by_label("Seconds that the agent may work").fill(seconds)
    with page.expect_response("**/api/config") as saved:
        page.get_by_role("button", name="Save limits").click()
    assert saved.value.status == 200


def save_choice(page, is_on: bool) -> None:
    page.get_by_label("Keep a copy of my settings in a private gist").set_checked(is_on)
    page.get_by_role("button", name="Save and write now").click()


def told(page, words: str, timeout: int = 30_000) -> None:
    """Waits until the line under the choice says so."""
    page.locator("#gist-state", has_text=words).wait_for(timeout=timeout)


def test_a_person_switches_the_copy_on_and_off_on_the_page(stack, page):
    page.get_by_role("button", name="Add ANTHROPIC_API_KEY").click()
    page.get_by_label("ANTHROPIC_API_KEY", exact=True).fill(KEY)
    page.keyboard.press("Enter")
    page.get_by_text("Configured", exact=True).wait_for()
    save_limit(page, "900")
    told(page, "Porter writes no gist.")
    assert gists(stack) == [] and effects(stack) == []

    save_choice(page, True)
    told(page, "The gist says what your settings say. No key is in it.")
    [gist] = gists(stack)
    assert gist["public"] is False and gist["owner"]["login"] == "mona"
    assert gist["description"] == f"Porter's settings at {stack.porter_url}, without keys"
    assert content(stack) == {"porter": stack.porter_url, "settings": {"gist_mirror": True, "timeout_s": 900}}
    assert KEY not in json.dumps(gists(stack))
    assert page.get_by_role("link", name="Open the gist").get_attribute("href") == gist["html_url"]
    assert violations(page) == []

    save_limit(page, "600")
    wait_for(lambda: content(stack)["settings"]["timeout_s"] == 600, "the gist to follow")
    assert effects(stack) == ["gist.created", "gist.edited"]

    save_choice(page, False)
    told(page, "Porter does not write the gist any more.")
    save_limit(page, "700")
    assert stack.watchdog() == 0
    assert [one["id"] for one in gists(stack)] == [gist["id"]]
    assert content(stack)["settings"]["timeout_s"] == 600
    assert effects(stack) == ["gist.created", "gist.edited"]


def test_without_the_permission_the_page_says_what_is_missing_and_runs_go_on(stack, page):
    stack.control("PUT", "/sign-ins", {"gists": False})
    save_choice(page, True)
    told(page, "Its GitHub App needs the account permission “Gists”")
    assert violations(page) == []
    assert gists(stack) == [] and stack.watchdog() == 0
    person = Person(stack)
    issue = person.new_issue("All the same")
    done = person.start("@porter demo\ndo: write all.txt x", issue, author="mona")
    assert stack.wait_for_ending(done)["status"] == "success"

    # Once it is there, the page's own button is the way on.
    stack.control("PUT", "/sign-ins", {"gists": True})
    save_choice(page, True)
    told(page, "The gist says what your settings say.")
    assert effects(stack) == ["gist.created"]


def test_a_gist_whose_answer_was_lost_is_found_and_not_made_twice(stack, page):
    stack.control("POST", "/faults", {"method": "POST", "path": "/gists", "kind": "lost_after"})
    save_choice(page, True)
    told(page, "The gist says what your settings say.", timeout=60_000)
    assert effects(stack) == ["gist.created"]
    assert len(gists(stack)) == 1
