"""A person's first day in a real browser, from a bare Porter to the first key: set-up by manifest, sign-in, a key that is
checked and never shown again, a repository switched off and on, sign-out. All of it by keyboard."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from browsing import SCHEMES, WIDTHS, sound_page, violations
from test_setup import bare_stack

KEY = "sk-ant-walk-0123456789-nobody-may-see-this"


class Walk:
    """A browser window, and what a person does in it with the keyboard alone."""

    def __init__(self, page):
        self.page = page
        self.number = 0

    def look(self, name: str) -> None:
        """A picture at each width in both schemes, where PORTER_PICTURES asks for them; axe in any case."""
        self.number += 1
        folder = os.environ.get("PORTER_PICTURES")
        if folder:
            for width in WIDTHS:
                for scheme in SCHEMES:
                    self.page.set_viewport_size({"width": width, "height": 900})
                    self.page.emulate_media(color_scheme=scheme)
                    self.page.screenshot(
                        path=Path(folder) / f"walk-{self.number:02d}-{name}-{width}-{scheme}.png", full_page=True)
            self.page.set_viewport_size({"width": 1000, "height": 900})
            self.page.emulate_media(color_scheme="light")
        assert violations(self.page) == [], name

    def tab_to(self, role: str, name: str) -> None:
        """Presses Tab until what has this role and name has the focus."""
        target = self.page.get_by_role(role, name=name, exact=True)
        target.wait_for()
        for _ in range(120):
            if target.evaluate("one => one === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach the {role} {name}")

    def press(self, role: str, name: str, key: str = "Enter") -> None:
        self.tab_to(role, name)
        self.page.keyboard.press(key)

    def type_into(self, name: str, text: str) -> None:
        self.tab_to("textbox", name)
        self.page.keyboard.type(text)


@pytest.fixture
def stack(folder):
    # The team's address of the provider leads to the scripted model, so that a person's key can be checked.
    with bare_stack(folder, agents=("demo", "claude")) as stack:
        yield stack


def set_up_url(stack) -> str:
    done = subprocess.run(
        [str(stack.programs / "porterctl"), "setup-url"], env=stack.environment, capture_output=True, text=True,
        timeout=60, check=True)
    return done.stdout.strip()


def test_a_first_day_by_keyboard_from_set_up_to_sign_out(browser, stack):
    with sound_page(browser, stack.porter_url) as page:
        seen = []
        page.on("response", lambda got: seen.append(got) if got.url.startswith(stack.porter_url) else None)
        walk = Walk(page)

        set_up(walk, stack)
        sign_in(walk)
        put_in_a_key(walk, stack)
        switch_a_repository(walk)
        sign_out(walk)
    files = [stack.database, *stack.folder.glob("porter.sqlite-*"), *(stack.folder / "logs").iterdir()]
    for secret in [KEY, stack.model_key]:
        # The scripted model's own log is the provider's, not Porter's.
        assert not [
            file for file in files
            if file.is_file() and "model" not in file.name and secret.encode() in file.read_bytes()]


def set_up(walk: Walk, stack) -> None:
    page = walk.page
    page.goto("/")
    page.get_by_role("heading", name="This Porter is not set up yet").wait_for()
    walk.look("not-set-up")

    policies = [one["value"] for one in page.request.get("/setup").headers_array
                if one["name"].lower() == "content-security-policy"]
    assert len(policies) == 1 and f"form-action 'self' {stack.github_url};" in policies[0], policies
    # The file behind it is nobody's without Porter's word.
    assert [page.request.get(path).status for path in ("/setup/", "/setup/index.html")] == [404, 404]

    page.goto(set_up_url(stack))
    page.get_by_role("button", name="Create the App on GitHub").wait_for()
    walk.look("set-up")
    walk.press("button", "Create the App on GitHub")
    page.get_by_text("Enter the organisation’s name").first.wait_for()
    walk.look("set-up-refused")
    walk.type_into("Organisation", "octo-team")
    page.keyboard.press("Enter")
    walk.press("button", "Create GitHub App for octo-team")
    walk.press("button", "Install")


def sign_in(walk: Walk) -> None:
    page = walk.page
    page.wait_for_url("**/login/oauth/authorize*")
    page.get_by_label("Signed in as").select_option("hubert")
    button = page.get_by_role("button", name="Authorize")
    button.focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Overview").wait_for()
    page.get_by_role("heading", name="What runs now").wait_for()
    walk.look("overview")


def put_in_a_key(walk: Walk, stack) -> None:
    page = walk.page
    walk.press("link", "Settings")
    walk.press("button", "Add ANTHROPIC_API_KEY")
    page.keyboard.type(KEY)
    walk.look("key-typed")
    page.keyboard.press("Enter")
    page.get_by_text("Configured", exact=True).wait_for()
    walk.press("button", "Check ANTHROPIC_API_KEY")
    page.get_by_text("Something is to be mended:").wait_for()
    walk.look("key-refused")

    walk.press("button", "Replace ANTHROPIC_API_KEY")
    page.keyboard.type(stack.model_key)
    page.keyboard.press("Enter")
    page.get_by_label("ANTHROPIC_API_KEY", exact=True).wait_for(state="detached")
    walk.press("button", "Check ANTHROPIC_API_KEY")
    page.get_by_text("All is in order.").wait_for()
    walk.look("key-checked")

    page.reload()
    page.get_by_text("Configured", exact=True).wait_for()
    assert page.locator("time").first.is_visible()
    for secret in [KEY, stack.model_key]:
        assert secret not in page.content()
        assert page.evaluate("secret => [...document.querySelectorAll('input, textarea')].every(one => one.value !== secret)", secret)


def switch_a_repository(walk: Walk) -> None:
    page = walk.page
    walk.press("link", "Repositories")
    page.get_by_role("button", name="Switch off octo-team/hello", exact=True).wait_for(timeout=60_000)
    walk.press("button", "Switch off octo-team/hello")
    page.get_by_role("button", name="Switch on octo-team/hello", exact=True).wait_for()
    walk.look("switched-off")
    walk.press("button", "Switch on octo-team/hello")
    page.get_by_role("button", name="Switch off octo-team/hello", exact=True).wait_for()

    walk.press("link", "Audit")
    page.get_by_text("switched off").first.wait_for()
    walk.look("audit")


def sign_out(walk: Walk) -> None:
    page = walk.page
    page.goto("/sessions/")
    page.get_by_text("(this one)").wait_for()
    walk.look("sessions")
    walk.press("button", "Sign out")
    page.get_by_role("link", name="Sign in with GitHub").wait_for()
    page.go_back()
    page.get_by_role("heading", name="Sign in to see this page").wait_for()
    walk.look("signed-out")
