"""Two people at the same settings, and two people at the same browser: the real pages, Porter and nginx."""

from __future__ import annotations

import contextlib
import re
from urllib.parse import urlsplit

import pytest
from browsing import sound_page, take_picture, violations
from conftest import make_stack
from visitor import Visitor

SHARED = "/api/config?scope=shared"
TIMEOUT = "Seconds that the agent may work"
STALL = "Seconds without a word from the agent"


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with make_stack(
        tmp_path_factory.mktemp("two"), watchdog_every=None,
        settings={"PORTER_ADMINS": "583231,583232", "PORTER_TASK_TIMEOUT": "", "PORTER_STALL_TIMEOUT": ""},
    ) as stack:
        yield stack


@pytest.fixture
def people(stack):
    hubert, mona = Visitor(stack, 583_231, "hubert"), Visitor(stack, 583_232, "mona")
    hubert.change("PATCH", SHARED, {"timeout_s": 600, "stall_timeout_s": 300, "default_model": None})
    return hubert, mona


def enter(context, visitor) -> None:
    """Puts the person's session into the browser, as a sign-in would."""
    name, value = visitor.fields["Cookie"].split("=", 1)
    # The browser keeps a secure cookie for loopback without TLS when a page sets it, but not when it is put in.
    url = visitor.stack.porter_url.replace("http://", "https://")
    context.add_cookies([{
        "name": name, "value": value, "url": url, "secure": True, "httpOnly": True, "sameSite": "Lax"}])


@contextlib.contextmanager
def signed_in(browser, visitor, path):
    with sound_page(browser, visitor.stack.porter_url) as page:
        enter(page.context, visitor)
        if path is not None:
            page.goto(path)
            page.locator("#ready:not([hidden])").wait_for()
        yield page


def save_limits(page, **fields) -> None:
    for label, value in fields.items():
        page.get_by_label({"timeout": TIMEOUT, "stall": STALL}[label]).fill(value)
    page.get_by_role("button", name="Save limits").click()


def said(page, words: str) -> None:
    page.locator("#limits .said", has_text=words).wait_for()


def test_who_saves_what_another_changed_meanwhile_is_told_loses_nothing_and_can_save_again(stack, browser, people):
    hubert, mona = people
    with signed_in(browser, hubert, "/team/") as page:
        mona.change("PATCH", SHARED, {"timeout_s": 900})
        save_limits(page, timeout="1200", stall="400")

        summary = page.locator("#limits .summary")
        summary.wait_for()
        assert page.evaluate("document.activeElement.classList.contains('summary')")
        words = "mona changed this meanwhile from “600” to “900”. You chose “1200”: save again to put it in its place."
        assert summary.get_by_role("link").text_content() == f"{TIMEOUT}: {words}"
        field = page.get_by_label(TIMEOUT)
        assert (field.input_value(), page.get_by_label(STALL).input_value()) == ("1200", "400")
        assert field.get_attribute("aria-invalid") == "true"
        assert words in page.locator(f"#{field.get_attribute('aria-describedby').split()[-1]}").text_content()
        assert violations(page) == []
        take_picture(page, "two-admins")
        assert hubert.get(SHARED)["timeout_s"] == 900

        page.get_by_role("button", name="Save limits").click()
        said(page, "The limits are saved.")
        now = hubert.get(SHARED)
        assert (now["timeout_s"], now["stall_timeout_s"]) == (1200, 400)


def test_the_newer_value_can_be_taken_instead(stack, browser, people):
    hubert, mona = people
    with signed_in(browser, hubert, "/team/") as page:
        mona.change("PATCH", SHARED, {"timeout_s": 900, "stall_timeout_s": 500})
        save_limits(page, timeout="1200", stall="400")

        page.get_by_role("button", name="Take “900”").click()

        field = page.get_by_label(TIMEOUT)
        assert (field.input_value(), field.get_attribute("aria-invalid")) == ("900", None)
        assert page.evaluate("document.activeElement.name") == "timeout_s"
        # The other one stays as it was typed, with its words.
        page.get_by_role("button", name="Take “500”").wait_for()
        page.get_by_role("button", name="Save limits").click()
        said(page, "The limits are saved.")
        now = hubert.get(SHARED)
        assert (now["timeout_s"], now["stall_timeout_s"]) == (900, 400)


def test_other_fields_that_were_changed_meanwhile_are_kept_and_shown(stack, browser, people):
    hubert, mona = people
    with signed_in(browser, hubert, "/team/") as page:
        page.get_by_label("Model when a command names none").fill("typed-and-not-saved")
        mona.change("PATCH", SHARED, {"stall_timeout_s": 777, "default_model": "of-mona"})
        save_limits(page, timeout="1000")

        said(page, f"The limits are saved. Changed elsewhere meanwhile, and shown here as it is now: “{STALL}”.")
        assert page.get_by_label(STALL).input_value() == "777"
        now = hubert.get(SHARED)
        assert (now["timeout_s"], now["stall_timeout_s"], now["default_model"]) == (1000, 777, "of-mona")

        # The page knows the newest state by now, and still does not replace unseen what was typed over.
        page.get_by_role("button", name="Save agent and model").click()
        page.locator("#defaults .summary", has_text="from nothing to “of-mona”").wait_for()
        assert hubert.get(SHARED)["default_model"] == "of-mona"


def test_one_page_saves_again_and_again_its_agents_between(stack, browser, people):
    hubert, _ = people
    with signed_in(browser, hubert, "/team/") as page:
        conditions = []
        page.on("request", lambda one: conditions.append(one.headers.get("if-match"))
                if one.method == "PATCH" and "/api/config" in one.url else None)
        for value in ("700", "800", "900"):
            save_limits(page, timeout=value)
            said(page, "The limits are saved.")
            page.get_by_label(TIMEOUT).press("End")
            assert hubert.get(SHARED)["timeout_s"] == int(value)
        assert len(conditions) == 3 and None not in conditions and len(set(conditions)) == 3

        # What an agent is told belongs to the same state.
        page.locator("details.agent summary").first.click()
        page.get_by_label("Guidance").first.fill("Be brief.")
        page.locator("details.agent").first.get_by_role("button", name="Save").click()
        page.locator("details.agent .said", has_text="is saved.").wait_for()
        save_limits(page, timeout="950")
        page.locator("#limits .said", has_text=re.compile(r"^The limits are saved\.$")).wait_for()
        assert hubert.get(SHARED)["timeout_s"] == 950


def test_own_settings_changed_in_another_window_are_told_too(stack, browser, people):
    hubert, _ = people
    hubert.change("PATCH", "/api/config", {"draft": None})
    with signed_in(browser, hubert, "/settings/") as page:
        hubert.change("PATCH", "/api/config", {"draft": True})
        page.get_by_label("Pull requests").select_option("Ready for review")
        page.get_by_role("button", name="Save agent and model").click()

        words = "You, in another window, changed this meanwhile from “As the team” to “As drafts”. You chose “Ready for review”"
        page.locator("#defaults .summary", has_text=words).wait_for()
        page.get_by_role("button", name="Save agent and model").click()
        page.locator("#defaults .said", has_text="Agent and model are saved.").wait_for()
        assert hubert.get("/api/config")["draft"] is False


def begin_as_the_other(page, visitor) -> list[str]:
    """Somebody else signs in in the same browser, in another window; the list gets what is refused with 409."""
    refused = []
    page.on("response", lambda got: refused.append(f"{got.request.method} {urlsplit(got.url).path}")
            if got.status == 409 else None)
    enter(page.context, visitor)
    return refused


def belongs_to(page, login: str, other: str) -> None:
    page.get_by_role("link", name=login).wait_for()
    page.locator("#ready:not([hidden])").wait_for()
    assert other not in page.locator("body").text_content()


def test_a_form_made_for_somebody_else_saves_nothing_and_leads_to_the_persons_own_page(stack, browser, people):
    hubert, mona = people
    for one, value in [(hubert, 610), (mona, 620)]:
        one.change("PATCH", "/api/config", {"timeout_s": value})
    with signed_in(browser, hubert, "/settings/") as page:
        refused = begin_as_the_other(page, mona)
        save_limits(page, timeout="1200")

        summary = page.locator("#limits .summary", has_text="Somebody else is signed in in this browser now.")
        summary.wait_for()
        assert refused == ["PATCH /api/config"]
        assert page.get_by_label(TIMEOUT).input_value() == "1200"
        assert violations(page) == []
        assert [one.get("/api/config")["timeout_s"] for one in (hubert, mona)] == [610, 620]

        summary.get_by_role("button", name="Load the page again").click()
        belongs_to(page, "mona", "hubert")
        assert page.get_by_label(TIMEOUT).input_value() == "620"
        save_limits(page, timeout="1300")
        said(page, "The limits are saved.")
        assert [one.get("/api/config")["timeout_s"] for one in (hubert, mona)] == [610, 1300]


def test_a_page_that_asks_again_and_again_becomes_the_other_persons(stack, browser, people):
    hubert, mona = people
    with signed_in(browser, hubert, None) as page:
        page.clock.install()
        page.goto("/tasks/")
        page.get_by_role("link", name="hubert").wait_for()
        page.locator("#ready:not([hidden])").wait_for()
        refused = begin_as_the_other(page, mona)
        page.clock.fast_forward(30_000)

        belongs_to(page, "mona", "hubert")
        assert refused == ["GET /api/tasks"]


def test_a_page_that_is_looked_at_again_becomes_the_other_persons(stack, browser, people):
    hubert, mona = people
    with signed_in(browser, hubert, "/sessions/") as page:
        refused = begin_as_the_other(page, mona)
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

        belongs_to(page, "mona", "hubert")
        assert refused == ["GET /api/github/profile"]
