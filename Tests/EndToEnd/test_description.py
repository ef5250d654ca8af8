"""The interface, called as its own description says, in thousands of ways, through nginx.

Schemathesis makes the calls from public/openapi.json, right ones and wrong ones, with and without who asks, and says which
answers are not as described. Each group of addresses has its own caller. 1,000 cases at least here; PORTER_CASES=10000, in
`make test-long`, makes ten times as many.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import subprocess

import pytest
from conftest import HERE, ROOT, make_stack
from outside import Person
from visitor import Visitor

DESCRIPTION = ROOT / "public" / "openapi.json"
PROGRAM = ROOT / ".venv-tests" / "bin" / "schemathesis"
WANTED = int(os.environ.get("PORTER_CASES", "1000"))
# Cases that are thought up for one address; what the description's examples and limits give comes on top.
EACH = max(8, WANTED // 60)
# octocat, the admin of the playground's organisations, and somebody who is none.
ADMIN = (583231, "octocat")
# Signs the person out, who is then nobody to all that follows.
SIGNING_OUT = "/api/auth/logout"
WORKER_TOKEN = "worker-token-of-the-description-test"

SETTINGS = """
continue-on-failure = true
# Browsers that GitHub sends come with what it likes, and are led on with words of what was wrong: 302.
[checks.negative_data_rejection]
expected-statuses = [302, 400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 429, 503]
[auth.openapi.session]
api_key = "{session}"
[auth.openapi.operator]
bearer = "{operator}"
[auth.openapi.workerBearer]
bearer = "{worker}"
[auth.openapi.workerHeader]
api_key = "{worker}"
[auth.openapi.signature]
api_key = "sha256=made-by-the-hook"
[parameters]
"header.Origin" = "{origin}"
# Whom another person's page was made for is tested beside the pages; here everything would be 409.
"header.X-Porter-Person" = "{person}"

[[operations]]
include-path-regex = "^/api/tasks/"
parameters = {{ "path.id" = "{task}" }}

[[operations]]
include-path = "/api/github/repositories/{{id}}"
parameters = {{ "path.id" = {repository} }}

[[operations]]
include-path = "/api/sessions/{{id}}"
parameters = {{ "path.id" = "{other_session}" }}

[[operations]]
include-path = "/api/github/issues/{{owner}}/{{repo}}/{{number}}"
parameters = {{ "path.owner" = "octo-team", "path.repo" = "hello", "path.number" = 1 }}

# The hook signs whatever is sent; that unsigned deliveries are refused is tested beside the webhook.
[[operations]]
include-path = "/api/webhooks/github"
checks.ignored_auth.enabled = false
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    # Without passes /readyz is right to answer 503 after five minutes.
    with make_stack(tmp_path_factory.mktemp("description"), watchdog_every=60) as stack:
        yield stack


@pytest.fixture(scope="module")
def ended_task(stack) -> str:
    """One real run, so that there is something to read."""
    person = Person(stack)
    task = person.start("@porter demo\ndo: write described.txt described", person.new_issue("Described"))
    stack.wait_for_ending(task)
    return task


def call_as_described(stack, folder, task: str, *filters: str, session: Visitor, worker: str = "none") -> dict:
    """Runs schemathesis and returns its report."""
    with sqlite3.connect(stack.database, timeout=20) as database:
        repository = database.execute("SELECT repository_id FROM tasks WHERE id = ?", (task,)).fetchone()[0]
    database.close()
    folder.mkdir(parents=True, exist_ok=True)
    cookie = session.fields["Cookie"].split("=", 1)[1]
    (folder / "schemathesis.toml").write_text(SETTINGS.format(
        session=cookie, operator=stack.operator_token, worker=worker, origin=stack.porter_url,
        person=ADMIN[0], task=task,
        repository=repository, other_session="0" * 32))
    report = folder / "report.json"
    done = subprocess.run(
        [PROGRAM, "run", DESCRIPTION, "--url", stack.porter_url, *filters, "--checks", "all",
         # What fields must be goes beyond a schema: names of branches and models, one state for one browser, bytes for
         # characters. Wrong kinds and missing fields are refused all the same, and each rule has its own tests.
         "--exclude-checks", "positive_data_acceptance", "--max-examples", str(EACH),
         # One worker: Python 3.11.2 counts the depth of ast.parse() for all threads together and fails on two at once,
         # https://github.com/python/cpython/issues/106905
         "--seed", "20260131", "--workers", "1", "--no-color", "--no-shrink", "--generation-database", "none",
         "--report", "json", "--report-json-path", report],
        cwd=folder, capture_output=True, text=True, check=False, timeout=1800,
        env=os.environ | {
            "SCHEMATHESIS_HOOKS": "description_hooks", "PYTHONPATH": str(HERE),
            "PORTER_TEST_WEBHOOK_SECRET": stack.webhook_secret})
    assert report.exists(), done.stdout[-4000:] + done.stderr[-4000:]
    found = json.loads(report.read_text())
    assert found["failures"] == [] and found["test_cases"]["errored"] == 0, done.stdout[-12000:]
    assert done.returncode == 0, done.stdout[-4000:]
    return found


@pytest.mark.long
def test_every_address_answers_as_it_is_described(stack, ended_task, tmp_path):
    found = call_as_described(
        stack, tmp_path / "all", ended_task, "--exclude-path", SIGNING_OUT, "--exclude-tag", "Worker",
        session=Visitor(stack, *ADMIN, admin=True))
    signing_out = call_as_described(
        stack, tmp_path / "out", ended_task, "--include-path", SIGNING_OUT, session=Visitor(stack, *ADMIN, admin=True))
    worker = call_as_described(
        stack, tmp_path / "worker", ended_task, "--include-tag", "Worker", session=Visitor(stack, *ADMIN, admin=True),
        worker=worker_token(stack, ended_task))

    described = json.loads(DESCRIPTION.read_text())["paths"]
    operations = sum(len(item) for item in described.values())
    assert sum(one["operations"]["tested"] for one in (found, signing_out, worker)) == operations
    cases = sum(one["test_cases"]["generated"] for one in (found, signing_out, worker))
    print(f"{cases} cases on {operations} operations")
    assert cases >= WANTED
    assert b"fatal" not in stack.parts["porter-fcgi"].log.read_bytes().lower()


def worker_token(stack, task: str) -> str:
    """A token that opens the workers' addresses: that of an attempt which is over, so that nothing is disturbed."""
    with sqlite3.connect(stack.database, timeout=20) as database:
        database.execute(
            "UPDATE attempts SET callback_token_digest = ? WHERE task_id = ?",
            (hashlib.sha256(WORKER_TOKEN.encode()).digest(), task))
    database.close()
    return WORKER_TOKEN
