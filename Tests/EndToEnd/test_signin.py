"""People sign in through nginx with the playground as GitHub, see what is theirs, and act."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import threading
import urllib.parse

import pytest
from conftest import make_stack
from outside import Person
from stack import wait_for

SESSION = "__Host-porter_session"


class Browser:
    """Keeps cookies and follows leads as a browser does, and says what came of each request."""

    def __init__(self, stack):
        self.stack = stack
        self.cookies: dict[str, str] = {}

    def send(self, method, url, body=None, headers=None, form=None):
        url = urllib.parse.urljoin(self.stack.porter_url + "/", url)
        parts = urllib.parse.urlsplit(url)
        fields = {"User-Agent": "browser"} | (headers or {})
        is_porter = url.startswith(self.stack.porter_url)
        if is_porter and self.cookies:
            fields["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if is_porter and method not in ("GET", "HEAD") and "Origin" not in fields:
            fields["Origin"] = self.stack.porter_url
        data = None
        if form is not None:
            data = urllib.parse.urlencode(form)
            fields["Content-Type"] = "application/x-www-form-urlencoded"
        elif body is not None:
            data = json.dumps(body)
            fields["Content-Type"] = "application/json"
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        try:
            target = parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request(method, target, data, {k: v for k, v in fields.items() if v is not None})
            response = connection.getresponse()
            text = response.read().decode()
            if is_porter:
                for field in response.headers.get_all("Set-Cookie") or []:
                    assert re.search("; Path=/; Max-Age=[0-9]+; Secure; HttpOnly; SameSite=Lax$", field), field
                    name, value = field.split(";")[0].split("=", 1)
                    if "Max-Age=0" in field:
                        self.cookies.pop(name, None)
                    else:
                        self.cookies[name] = value
            return response.status, text, response.headers
        finally:
            connection.close()

    def api(self, method, path, body=None, **headers):
        status, text, _ = self.send(method, path, body, headers)
        return status, json.loads(text) if text else None

    def sign_in(self, login="hubert", back="/", decision="authorize"):
        """Signs in as a person would; the answer is the page that they end at."""
        _, _, headers = self.send("GET", f"/api/auth/github?return={urllib.parse.quote(back, safe='')}")
        address = headers["Location"]
        if not address.startswith(self.stack.github_url):
            return address
        status, page, _ = self.send("GET", address)
        assert status == 200, page
        hidden = dict(re.findall('<input type="hidden" name="([^"]+)" value="([^"]*)">', page))
        status, _, headers = self.send(
            "POST", self.stack.github_url + "/login/oauth/authorize",
            form=hidden | {"login": login, "decision": decision})
        assert status == 302
        self.callback = headers["Location"]
        status, _, headers = self.send("GET", self.callback)
        assert status == 302
        return headers["Location"]

    @property
    def session(self):
        return self.cookies.get(SESSION)


@pytest.fixture
def stack(folder):
    with make_stack(folder, settings={"PORTER_OWNERS": "octo-team"}) as stack:
        yield stack


def test_a_person_signs_in_sees_and_acts(stack):
    person = Person(stack)
    issue = person.new_issue()
    task = person.start("@porter demo greet people", issue)
    stack.wait_for_ending(task)

    mona = Browser(stack)
    assert mona.api("GET", "/api/tasks")[0] == 401
    assert mona.sign_in("mona", back="/tasks/?status=failed") == "/tasks/?status=failed"
    assert [one["id"] for one in mona.api("GET", "/api/tasks")[1]["tasks"]] == [task]

    # Whoever only reads sees and does not act; whoever sees nothing is told of nothing.
    rita = Browser(stack)
    assert rita.sign_in("rita") == "/"
    assert rita.api("GET", f"/api/tasks/{task}")[0] == 200
    assert rita.api("POST", f"/api/tasks/{task}/retry")[0] == 403
    stan = Browser(stack)
    assert stan.sign_in("stan") == "/?error=not_installed"
    assert stan.session is None
    problem = stan.api("GET", "/api/auth/diagnostics")[1]["problem"]
    assert problem["action"] == f"{stack.github_url}/apps/porter-dev/installations/new"

    # A task without an issue opens one in the person's name, and runs to its end.
    status, made = mona.api("POST", "/api/tasks", {
        "repo_owner": "octo-team", "repo_name": "hello", "instructions": "Greet by name\nand test it",
        "agent": "demo"})
    assert status == 201, made
    opened = person.effects("issue.opened", issue=made["issue_number"])
    assert [one["actor"] for one in opened] == ["mona"]
    ended = stack.wait_for_ending(made["id"])
    assert ended["status"] == "success", ended
    assert ended["created_by"] == "mona"
    assert len(stack.get("/api/tasks")[1]["tasks"]) == 2, "the opened issue made a task of its own"

    status, again = mona.api("PUT", f"/api/tasks/{task}/retry")
    assert status == 201
    assert mona.api("GET", f"/api/tasks/{again['id']}")[0] == 200
    assert mona.api("POST", f"/api/tasks/{again['id']}/stop")[0] in (202, 409)
    stack.wait_for_ending(again["id"])

    # The first with the App's own installation is the admin, and reads who did what.
    assert mona.api("GET", "/api/audit")[0] == 200
    assert rita.api("GET", "/api/audit")[0] == 403
    actions = {one["action"] for one in mona.api("GET", "/api/audit")[1]["entries"]}
    assert {"session.begun", "admin.granted", "task.asked", "task.retried"} <= actions
    printed = subprocess.run(
        [stack.programs / "porterctl", "audit", "--since", "1h", "--json"], env=stack.environment,
        capture_output=True, text=True, check=True)
    assert {json.loads(line)["action"] for line in printed.stdout.splitlines()} >= actions


def test_a_sign_in_refuses_what_is_not_its_own(stack):
    browser, attacker = Browser(stack), Browser(stack)
    assert browser.sign_in("mona", decision="cancel") == "/?error=access_denied"
    assert browser.session is None
    for evil in ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "/%09/x"]:
        assert browser.sign_in("mona", back=evil) == "/?error=return_invalid"
    assert browser.sign_in("mona") == "/"
    # The same answer again, and from another browser.
    for one in [browser, attacker]:
        assert one.send("GET", browser.callback)[2]["Location"].startswith("/?error=state_")
    assert attacker.session is None
    assert browser.api("GET", "/api/sessions")[0] == 200
    for origin in [None, "null", "https://evil.example"]:
        assert browser.api("POST", "/api/auth/logout", Origin=origin)[0] == 403
    assert browser.send("HEAD", "/api/auth/logout")[0] == 405
    kept = browser.session
    assert browser.api("POST", "/api/auth/logout")[0] == 204
    browser.cookies[SESSION] = kept
    assert browser.api("GET", "/api/sessions")[0] == 401


def test_each_obstacle_has_its_own_page(stack):
    def control(method, path, body=None):
        stack.control(method, path, body or {})

    browser = Browser(stack)
    control("PUT", "/organizations/octo-team", {"single_sign_on": True})
    assert browser.sign_in("mona") == "/?error=not_installed", "octo-team is not known to Porter yet"
    control("POST", "/people/mona/sign-on", {"organization": "octo-team"})
    assert browser.sign_in("mona") == "/"
    control("PUT", "/organizations/octo-team", {"single_sign_on": True})
    assert browser.sign_in("mona") == "/?error=sso_required"
    problem = browser.api("GET", "/api/auth/diagnostics?error=sso_required")[1]["problem"]
    assert problem["action"] == f"{stack.github_url}/orgs/octo-team/sso"
    assert browser.send("POST", problem["action"], form={"login": "mona"})[0] == 200
    assert browser.sign_in("mona") == "/"
    control("PUT", "/organizations/octo-team", {"single_sign_on": False, "refuses_address": True})
    assert browser.sign_in("mona") == "/?error=ip_not_allowed"
    control("PUT", "/organizations/octo-team", {"refuses_address": False})
    control("PATCH", "/people/mona", {"suspended": True})
    assert browser.sign_in("mona") == "/?error=suspended"
    control("PATCH", "/people/mona", {"suspended": False})
    control("POST", "/installations/31/suspend")
    assert browser.sign_in("mona") == "/?error=suspended"
    control("POST", "/installations/31/unsuspend")
    assert browser.send("GET", "/api/auth/github/installed?setup_action=request")[2]["Location"] \
        == "/?error=installation_requested"
    assert browser.sign_in("stan") == "/?error=installation_requested"
    # Renamed at GitHub: the same person, under the new name.
    control("PATCH", "/people/mona", {"login": "lisa"})
    assert browser.sign_in("lisa") == "/"
    assert stack.rows("SELECT login FROM people WHERE id = 583232")[0]["login"] == "lisa"
    stack.end("github")
    assert browser.send("GET", browser.callback)[2]["Location"] == "/?error=state_invalid"


def test_an_authorisation_that_is_taken_back_ends_the_session(stack):
    mona, hubert = Browser(stack), Browser(stack)
    assert mona.sign_in("mona") == "/"
    assert hubert.sign_in("hubert") == "/"
    stack.control("POST", "/people/mona/revoke", {"wait": True})
    assert mona.api("GET", "/api/sessions")[0] == 401
    assert hubert.api("GET", "/api/sessions")[0] == 200
    assert mona.sign_in("mona") == "/"


def test_rights_follow_github(stack):
    person = Person(stack)
    task = person.start("@porter demo greet people", person.new_issue())
    stack.wait_for_ending(task)
    hubert, mona = Browser(stack), Browser(stack)
    assert hubert.sign_in("hubert") == "/"
    assert mona.sign_in("mona") == "/"
    assert mona.api("GET", f"/api/tasks/{task}")[0] == 200
    # A repository that the App does not reach any more takes the rights along at once.
    stack.control("PATCH", "/installations/31", {"repositories": []})
    wait_for(lambda: mona.api("GET", f"/api/tasks/{task}")[0] == 404, "the end of mona's rights")
    assert hubert.api("GET", f"/api/tasks/{task}")[0] == 200, "an admin sees all"


def test_of_100_requests_over_two_processes_one_renews_the_token(stack):
    person = Person(stack)
    issue = person.new_issue()
    stack.start_fcgi("second")
    stack.control("PUT", "/sign-ins", {"access_seconds": 5})
    mona = Browser(stack)
    assert mona.sign_in("mona") == "/"
    stack.control("PUT", "/sign-ins", {"access_seconds": 28800})
    assert person.effects("oauth.refreshed") == []

    answers = []
    body = {"repo_owner": "octo-team", "repo_name": "hello", "issue_number": issue, "instructions": "x",
            "agent": "demo", "priority": "low"}

    def ask():
        answers.append(mona.api("POST", "/api/tasks", body))

    threads = [threading.Thread(target=ask) for _ in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [status for status, _ in answers] == [201] * 100, [one for one in answers if one[0] != 201][:3]
    assert len(person.effects("oauth.refreshed")) == 1
    assert person.effects("oauth.denied") == []
