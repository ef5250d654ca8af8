"""Coming in and going: sign-in, another person, set-up, on pages with a stand-in for Porter's interface."""

from __future__ import annotations

import re

import page_states
import pytest
from browsing import open_in, take_picture, violations
from conftest import ROOT
from standin import content_security_policy as page_policy

PUBLIC = ROOT / "public"


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
    for path in [page_states.PAGES[name] for name in page_states.PAGES if name not in [*page_states.STILL, "set-up"]]:
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
