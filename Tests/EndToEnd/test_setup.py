"""Set-up by manifest, through nginx and the playground: from a bare Porter to the first run, without a restart."""

import json
import subprocess
import urllib.parse
import urllib.request

import pytest

from conftest import ROOT, make_stack
from outside import Person
from stack import wait_for
from steps import armed, build_shim
from visitor import Visitor

# The environment names no App.
BARE = {
    name: "" for name in [
        "PORTER_GITHUB_APP_ID", "PORTER_GITHUB_APP_PRIVATE_KEY_FILE", "PORTER_GITHUB_CLIENT_ID",
        "PORTER_GITHUB_CLIENT_SECRET", "PORTER_GITHUB_WEBHOOK_SECRET_FILE",
    ]
}


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(NoRedirect)


def post_form(url: str, fields: dict) -> tuple[int, str, dict]:
    data = urllib.parse.urlencode(fields).encode()
    try:
        with OPENER.open(urllib.request.Request(url, data=data), timeout=60) as response:
            return response.status, response.read().decode(), dict(response.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), dict(error.headers)


def fetch(url: str, **headers) -> tuple[int, str, dict]:
    try:
        with OPENER.open(urllib.request.Request(url, headers=headers), timeout=60) as response:
            return response.status, response.read().decode(), dict(response.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), dict(error.headers)


def setup_token(stack) -> str:
    done = subprocess.run(
        [str(stack.programs / "porterctl"), "setup-url"], env=stack.environment, capture_output=True, text=True,
        timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    line = done.stdout.strip()
    prefix = f"{stack.porter_url}/setup#token="
    assert line.startswith(prefix) and "\n" not in line, line
    return line.removeprefix(prefix)


def begin(stack, owner="octo-team") -> dict:
    """Posts the token for a manifest."""
    status, answer, _ = stack.request(
        "POST", f"{stack.porter_url}/api/setup/manifest", {"token": setup_token(stack), "owner": owner})
    assert status == 200, answer
    return answer


def code_for(answer: dict, name="Porter Test", **more) -> str:
    """Goes through GitHub's pages as a person would; the address that GitHub leads back to."""
    manifest = json.dumps(answer["manifest"])
    status, page, _ = post_form(answer["action"], {"manifest": manifest})
    assert status == 200 and "Create GitHub App for" in page, page
    create = answer["action"].replace("/settings/apps/new", "/settings/apps")
    status, page, headers = post_form(create, {"manifest": manifest, "name": name} | more)
    assert status == 302, page
    return headers["Location"]


def bare_stack(folder, **options):
    return make_stack(folder, settings=BARE | options.pop("settings", {}), **options)


def install(stack, address: str, account="octo-team") -> None:
    status, page, _ = fetch(address)
    assert status == 200 and "Install" in page, (address, page)
    status, page, headers = post_form(address.removesuffix("/new"), {"account": account})
    assert status == 302, page
    assert headers["Location"].startswith(f"{stack.porter_url}/api/auth/github/installed?installation_id=")


def test_a_bare_porter_is_set_up_by_a_manifest_and_runs_its_first_command_without_a_restart(folder):
    with bare_stack(folder) as stack:
        assert stack.request("GET", f"{stack.porter_url}/readyz")[0] == 503
        assert stack.request("POST", f"{stack.porter_url}/api/webhooks/github", {})[0] == 503

        address = code_for(begin(stack))
        status, body, headers = fetch(address, Accept="text/html")
        assert status == 302, body
        assert headers["Location"] == f"{stack.github_url}/apps/porter-test/installations/new"
        install(stack, headers["Location"])

        # The very programs that ran before act as the new App.
        person = Person(stack)
        issue = person.new_issue("First")
        task = person.start("@porter demo\ndo: write first.txt first", issue)
        assert stack.wait_for_ending(task)["status"] == "success"
        assert stack.request("GET", f"{stack.porter_url}/readyz")[0] == 200
        assert stack.watchdog() == 0

        for path in ["/setup", "/api/setup/status", address.removeprefix(stack.porter_url)]:
            assert stack.request("GET", stack.porter_url + path)[0] == 404, path
        again = subprocess.run(
            [str(stack.programs / "porterctl"), "setup-url"], env=stack.environment, capture_output=True, text=True,
            timeout=60, check=False)
        assert again.returncode == 1 and "nothing to set up" in again.stderr


@pytest.mark.skipif(not (ROOT / "public" / "setup" / "index.html").exists(), reason="the page is not there yet")
def test_the_page_may_send_its_form_to_github_and_is_gone_once_porter_is_set_up(folder):
    with bare_stack(folder, watchdog_every=None) as stack:
        status, page, headers = stack.request("GET", f"{stack.porter_url}/setup")
        assert status == 200 and "<html" in page
        policy = headers["Content-Security-Policy"]
        assert f"form-action 'self' {stack.github_url};" in policy and "default-src 'none'" in policy
        assert headers["Cache-Control"] == "no-store"
        assert fetch(code_for(begin(stack)))[0] == 302
        status, page, headers = stack.request("GET", f"{stack.porter_url}/setup")
        assert status == 404 and "<html" in page, page


def test_validation_finds_the_new_app_as_it_must_be(folder):
    with bare_stack(folder) as stack:
        status, _, headers = fetch(code_for(begin(stack)))
        assert status == 302
        install(stack, headers["Location"])
        admin = Visitor(stack, 583_231, "hubert", admin=True)

        found = admin.change("POST", "/api/config/validate/github")

        assert found["ok"], found
        assert [check["name"] for check in found["checks"]] == [
            "credentials", "webhook", "permissions", "events", "installation",
        ]


def test_the_webhooks_secret_is_made_when_github_makes_none(folder):
    with bare_stack(folder) as stack:
        status, body, headers = fetch(code_for(begin(stack), hide_webhook_secret="1"))
        assert status == 302, body
        install(stack, headers["Location"])
        person = Person(stack)
        issue = person.new_issue("Signed all the same")
        task = person.start("@porter demo\ndo: write signed.txt signed", issue)
        assert stack.wait_for_ending(task)["status"] == "success"


def test_a_personal_app_is_made_and_only_its_owner_can_install_it(folder):
    with bare_stack(folder, watchdog_every=None) as stack:
        status, body, headers = fetch(code_for(begin(stack, owner=None), name="Porter of Hubert"))
        assert status == 302, body
        _, page, _ = fetch(headers["Location"])
        assert "hubert" in page and "octo-team" not in page


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "x" * 35}, "Name is too long (maximum is 34 characters)"),
        ({"name": ""}, "Name can&#39;t be blank|Name can't be blank"),
        ({"url": None}, '&quot;url&quot; wasn'),
        ({"redirect_url": None}, '&quot;redirect_url&quot; wasn'),
        ({"hook_attributes": {"active": True}}, "hook_attributes.url"),
        ({"hook_attributes": {"url": "https://x.example", "secret": "s"}}, "not permitted"),
        ({"default_events": ["installation"]}, "Default events unsupported: installation"),
        ({"default_events": ["github_app_authorization"]}, "unsupported: github_app_authorization"),
        ({"default_events": ["check_run"]}, "not supported by permissions: check_run"),
        ({"default_permissions": {"everything": "write"}}, "not included in the list: everything"),
        ({"surprise": 1}, "&quot;surprise&quot; is not a permitted key"),
    ])
def test_the_playground_refuses_what_github_refuses(shared_stack, change, words):
    manifest = {
        "name": "Porter", "url": "https://p.example", "redirect_url": "https://p.example/back",
        "hook_attributes": {"url": "https://p.example/hook"}, "default_permissions": {"issues": "write"},
        "default_events": ["issues"],
    }
    manifest = {name: value for name, value in (manifest | change).items() if value is not None}
    status, page, _ = post_form(
        f"{shared_stack.github_url}/settings/apps/new", {"manifest": json.dumps(manifest)})
    assert status == 422
    assert any(one in page for one in words.split("|")), page


def test_reused_and_foreign_codes_and_states_are_refused(folder):
    with bare_stack(folder, watchdog_every=None) as stack:
        first = begin(stack)
        address = code_for(first)
        for wrong in [
            address.replace("state=", "state=0"), address.split("&state=")[0], address.replace("code=", "kode="),
        ]:
            status, body, _ = fetch(wrong)
            assert status in (400, 403), body
        status, body, _ = fetch(address.replace("code=", "code=0"), Accept="text/html")
        assert status == 302
        # That other code took the state; a new token leads on.
        status, body, headers = fetch(code_for(begin(stack), name="Porter Two"))
        assert status == 302 and "/apps/porter-two/" in headers["Location"], body


@pytest.mark.parametrize(
    ("step", "hidden", "becomes"),
    [
        ("setup.converting", {}, "again"), ("setup.converted", {}, "lost"), ("setup.stored", {}, "kept"),
        ("setup.hook.calling", {"hide_webhook_secret": "1"}, "kept"),
        ("setup.hook.called", {"hide_webhook_secret": "1"}, "kept"),
    ])
def test_killed_at_any_step_of_the_conversion_porter_has_a_way_on(folder, step, hidden, becomes):
    """The responder dies at the step; what it had stored is there, and the words lead on from anywhere."""
    with bare_stack(folder, watchdog_every=None) as stack:
        shim = build_shim(folder)
        address = code_for(begin(stack), **hidden)
        stack.end("porter-fcgi")
        stack.start_fcgi(environment=armed(shim, step))
        status, _, _ = fetch(address)
        assert status == 502
        wait_for(lambda: not stack.parts["porter-fcgi"].is_alive, f"the death at {step}")
        stack.parts.pop("porter-fcgi")
        stack.start_fcgi()
        if becomes != "kept":
            status, answer, _ = stack.request("GET", f"{stack.porter_url}/api/setup/status")
            assert (status, answer["stage"]) == (200, "converting") and answer["message"], answer
            status, body, _ = fetch(address)
            if becomes == "lost":
                # GitHub gave its answer to a process that is dead: the words say so, and a new token leads on.
                assert status == 502 and "setup-url" in body, (status, body)
                status, body, _ = fetch(code_for(begin(stack), name="Porter Two"))
            assert status == 302, body
        assert stack.watchdog() == 0
        status, _, _ = stack.request("GET", f"{stack.porter_url}/api/setup/status")
        assert status == 404
        found = Visitor(stack, 583_231, "hubert", admin=True).change("POST", "/api/config/validate/github")
        assert {check["name"]: check["ok"] for check in found["checks"]}["credentials"], found
