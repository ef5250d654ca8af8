"""What people change on the pages, with a stand-in for Porter's interface."""

from __future__ import annotations

import threading

import page_states
import pytest
from browsing import open_in, settle, violations


def test_a_key_is_put_in_checked_replaced_and_removed_by_keyboard_and_never_shown(page, server):
    open_in(page, server, "/settings/", "empty")
    key = "sk-ant-a-key-that-nobody-may-see"
    keyboard = page.keyboard

    def focus(name: str) -> None:
        """Walks on by Tab until the button of that name has the focus."""
        for _ in range(80):
            keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent") == name:
                return
        raise AssertionError(f"Tab does not reach {name}")

    focus("Add ANTHROPIC_API_KEY")
    keyboard.press("Enter")
    assert page.evaluate("document.activeElement.type") == "password"
    keyboard.press("Enter")
    assert page.evaluate("document.activeElement.className") == "notice bad summary"
    page.get_by_role("alert").get_by_text("Enter the key.").wait_for()
    assert violations(page) == []
    keyboard.press("Tab")
    keyboard.press("Enter")
    keyboard.type(key)
    keyboard.press("Enter")
    page.get_by_text("Configured", exact=True).first.wait_for()

    assert ("PUT", "/api/config/provider-credentials", {
        "provider": "anthropic", "name": "ANTHROPIC_API_KEY", "value": key}) in server.asked
    assert key not in page.content()
    assert page.locator("#status").text_content() == "ANTHROPIC_API_KEY is saved."
    assert page.evaluate("document.activeElement.textContent") == "Replace ANTHROPIC_API_KEY"

    keyboard.press("Tab")
    keyboard.press("Enter")
    page.get_by_text("Anthropic accepts the key.").wait_for()
    keyboard.press("Tab")
    keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    assert violations(page) == []
    assert page.evaluate("document.activeElement.textContent") == "Leave it as it is"
    keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent") == "Remove ANTHROPIC_API_KEY"
    keyboard.press("Enter")
    page.get_by_role("dialog").wait_for()
    keyboard.press("Shift+Tab")
    keyboard.press("Enter")
    page.locator("#status", has_text="ANTHROPIC_API_KEY is removed.").wait_for(state="attached")
    assert page.get_by_text("Configured", exact=True).count() == 0


@pytest.mark.parametrize(("has_team_key", "own", "words"), [
    (True, ["ANTHROPIC_API_KEY"], "The team has a key for Anthropic: your runs use that one from then on."),
    (False, ["ANTHROPIC_API_KEY"], "No key of the team’s takes its place: runs that need one for Anthropic end with "
     "provider_key_missing until you add another."),
    (True, ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"], "Your ANTHROPIC_AUTH_TOKEN stays, and no key of the team’s "
     "for Anthropic is used beside it. Runs that need ANTHROPIC_API_KEY end with provider_key_missing."),
    (None, ["ANTHROPIC_API_KEY"], "If the team has a key for Anthropic, your runs use that one from then on; otherwise "
     "those that need one end with provider_key_missing."),
], ids=["team-has-one", "team-has-none", "another-of-ones-own", "not-known"])
def test_removing_ones_own_key_says_what_is_used_from_then_on(page, server, has_team_key, own, words):
    server.answers["GET /api/config/provider-credentials"] = (
        200, page_states.credentials([("anthropic", name) for name in own]))
    page.goto("/settings/")
    settle(page)
    # As things are when it is asked, not when the page was loaded.
    anthropic, *others = page_states.PROVIDERS["providers"]
    held = anthropic | {"configured": {"user": True, "shared": True, "shared_key": has_team_key}}
    server.answers["GET /api/config/providers"] = (
        page_states.CUT if has_team_key is None else (200, {"providers": [held, *others]}))
    page.get_by_role("button", name="Remove ANTHROPIC_API_KEY").click()

    dialog = page.get_by_role("dialog")
    dialog.wait_for()
    assert dialog.locator("p").text_content() == f"Porter cannot bring it back. {words}"
    assert violations(page) == []


def test_only_what_was_changed_is_saved(page, server):
    open_in(page, server, "/settings/", "filled")
    page.get_by_label("Model when a command names none").fill("gpt-9")
    page.get_by_role("button", name="Save agent and model").click()
    page.get_by_text("Agent and model are saved.").first.wait_for()

    assert ("PATCH", "/api/config", {"default_model": "gpt-9"}) in server.asked


def test_what_is_typed_while_a_save_is_under_way_is_still_to_be_saved(page, server):
    answered = threading.Event()

    def answer(body, _):
        assert answered.wait(30)
        return 200, page_states.EMPTY_CONFIG | body

    open_in(page, server, "/settings/", "filled")
    server.answers["PATCH /api/config"] = answer
    model = page.get_by_label("Model when a command names none")
    model.fill("gpt-9")
    page.get_by_role("button", name="Save agent and model").click()
    model.fill("gpt-10")
    answered.set()
    page.get_by_text("Agent and model are saved.").first.wait_for()

    assert model.input_value() == "gpt-10"
    assert "Model when a command names none" not in page.locator("#defaults .said").text_content()
    page.locator("#defaults[aria-busy=true]").wait_for(state="detached")
    page.get_by_role("button", name="Save agent and model").click()
    page.locator("#defaults:not([data-typed])").wait_for()
    assert [call[2] for call in server.asked if call[0] == "PATCH"] == [
        {"default_model": "gpt-9"}, {"default_model": "gpt-10"}]


@pytest.mark.parametrize(("answer", "words"), [
    ((422, {"error": "invalid", "message": "`timeout_s` must be a whole number from 60 to 3600; it is 4000."}),
     "must be a whole number from 60 to 3600"),
    ((401, {"error": "unauthorized", "message": "Sign in with GitHub."}), "what you typed is kept"),
    ((503, {"error": "unavailable", "message": "The database cannot be used now."}), "The database cannot be used now."),
    ((429, {"error": "too_many_requests", "message": "Too many requests came from this address."}), "Too many requests"),
    (page_states.CUT, "What you typed is kept"),
    ((200, "<p>a proxy's page"), "could not be understood"),
], ids=["wrong", "signed-out", "unavailable", "too-many", "unreachable", "nonsense"])
def test_a_refused_change_is_told_and_what_was_typed_stays(page, server, answer, words):
    open_in(page, server, "/settings/", "filled")
    server.answers["PATCH /api/config"] = answer
    field = page.get_by_label("Seconds that the agent may work")
    field.fill("1200")
    field.press("Enter")

    summary = page.locator(".summary")
    summary.wait_for()
    assert words in summary.text_content()
    assert page.evaluate("document.activeElement.classList.contains('summary')")
    assert field.input_value() == "1200"
    assert violations(page) == []


def test_a_field_that_is_wrong_says_so_before_anybody_is_asked(page, server):
    open_in(page, server, "/settings/", "filled")
    for value in ["59", "3601", "1.5", "ten", "-60"]:
        page.get_by_label("Seconds that the agent may work").fill(value)
        page.get_by_role("button", name="Save limits").click()
        page.get_by_text(f"Enter a whole number from 60 to 3600; “{value}” is none.").first.wait_for()
    assert not [call for call in server.asked if call[0] == "PATCH"]


def test_a_repository_is_switched_off_and_on(page, server):
    open_in(page, server, "/repositories/", "filled")
    for word, enabled in [("off", False), ("on", True)]:
        server.answers["PATCH /api/github/repositories/100"] = (200, page_states.repository(
            0, "hello-0", enabled=enabled, served=enabled, problem=None if enabled else "An admin switched it off."))
        page.get_by_role("button", name=f"Switch {word} octo-team/hello-0").click()
        page.locator("#status", has_text=f"octo-team/hello-0 is switched {word}.").wait_for(state="attached")
        assert ("PATCH", "/api/github/repositories/100", {"enabled": enabled}) in server.asked


def test_a_repository_gets_an_agent_and_a_model_of_its_own(page, server):
    open_in(page, server, "/repositories/", "filled")
    server.answers["PATCH /api/github/repositories/100"] = (200, page_states.repository(0, "hello-0", default_agent="codex"))
    page.get_by_role("button", name="Agent and model of octo-team/hello-0").click()
    page.get_by_role("form", name="Agent and model of octo-team/hello-0").get_by_label("Agent").select_option("Codex")
    assert violations(page) == []
    page.get_by_role("button", name="Save agent and model").click()
    page.locator("#status", has_text="Agent and model are saved.").wait_for(state="attached")

    assert ("PATCH", "/api/github/repositories/100", {"default_agent": "codex"}) in server.asked
