"""Odd names, hostile text and a full disk change nothing but themselves."""

import contextlib
import json
import os
import subprocess

import pytest
from conftest import fixtures_folder, make_stack
from outside import HELLO, Person, settle, worker_processes
from stack import read_rows

ODD_TITLES = [
    'with "quotes" and \'single\' ones', "$(touch /tmp/porter-odd-title)", "`touch /tmp/porter-odd-title`",
    "--upload-pack=touch", "emoji 🎉 and ünïcode", "-->\n<!-- porter:x:ending -->", "; rm -rf / #", "%s%n%00",
]


@pytest.mark.parametrize("title", ODD_TITLES)
def test_an_odd_title_changes_nothing_but_itself(person, title):
    issue = person.new_issue(title, body=f"{title}\n```\n@everyone fixes #1\n```")
    task_id = person.start(f"@porter demo please {title}\ndo: write odd.txt odd\ndo: say {title} @mona fixes #1", issue)

    person.stack.wait_for_ending(task_id)
    settle(person.stack)

    task = person.judge_one_ending(task_id, issue)
    assert task["status"] == "success", task
    assert not os.path.exists("/tmp/porter-odd-title")
    ending = person.marked(issue, f"{task_id}:ending")[0]["body"]
    assert ending.count("<!-- porter:") == 1 or "```" in ending.split("<!-- porter:")[0]


@pytest.mark.parametrize("branch", ["feature/ünï", "a'b", "x;touch", "with$dollar", "release-1.0", "a&b"])
def test_an_odd_base_branch_works_like_any_other(person, branch):
    repository = person.stack.repository(HELLO)
    subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(repository), "update-ref", f"refs/heads/{branch}", "main"], check=True)
    issue = person.new_issue()
    task_id = person.start(f"@porter demo --base={branch}\ndo: write b.txt b", issue)

    person.stack.wait_for_ending(task_id)

    task = person.judge_one_ending(task_id, issue)
    assert (task["status"], task["base_branch"]) == ("success", branch)


def test_every_published_payload_is_answered_2xx(person):
    folder = fixtures_folder()
    if folder is None:
        pytest.skip("GitHub's published payloads are not here (../shared/fixtures or PORTER_FIXTURES)")
    payloads = sorted((folder / "webhooks").glob("[a-z]*/*.json")) + sorted(
        (folder / "webhooks" / "_derived").glob("**/*.json"))
    assert len(payloads) > 60
    for path in payloads:
        event = path.parent.name if path.parent.name != "_derived" else path.name.split(".")[0]
        status, answer = person.deliver(event, path.read_bytes())
        assert 200 <= status < 300, (path, status, answer)


def test_a_delivery_of_25_mib_is_taken_and_one_more_byte_refused(person):
    limit = 26_214_400
    frame = len(json.dumps({"padding": ""}))
    whole = json.dumps({"padding": "x" * (limit - frame)}).encode()
    assert len(whole) == limit

    assert person.deliver("push", whole)[0] == 202
    status, answer = person.deliver("push", whole + b" ")
    assert status == 413
    assert isinstance(answer, dict) and answer["error"], answer


def test_callbacks_that_make_no_sense_are_4xx_recorded_and_change_nothing(person):
    stack = person.stack
    issue, other_issue = person.new_issue(), person.new_issue()
    other = person.start("@porter demo\ndo: say hello", other_issue)
    stack.wait_for_ending(other)
    task_id = person.start("@porter demo\ndo: write kept.txt kept\ndo: sleep 3", issue)
    stack.wait_for_task(task_id, lambda task: task["progress"]["phase"] == "agent", "the agent")
    token = machine_token(stack)

    def call(name, body, key=token):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return stack.request(
            "POST", f"{stack.porter_url}/api/callbacks/{name}", data,
            {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})[0]

    nonsense = [
        call("claim", {"nonce": "x" * 40, "protocol": 1, "version": "1"}, "0" * 64),
        call("claim", {"nonce": "x" * 40, "protocol": 1, "version": "1"}),
        call("claim", {"nonce": "x" * 40, "protocol": "one", "version": "1"}),
        call("claim", {"nonce": "x" * 5000, "protocol": 1, "version": "1"}),
        call("progress", {"phase": "agent", "log": {"offset": -1, "text": ""}}),
        call("progress", {"phase": "agent", "log": {"offset": "12", "text": ""}}),
        call("progress", b'{"phase": "agent", "message": "\xff\xfe"}'),
        call("credential", {"purpose": "push"}),
        call("complete", {"task_id": task_id, "status": "failed"}),
        call("complete", {"task_id": other, "status": "success"}),
        call("complete", {"task_id": task_id, "status": "success", "summary": "x" * 10_000_000}),
        call("complete", {"task_id": task_id, "status": 7}),
        call("complete", b"\x00" * 100),
    ]

    assert all(400 <= status < 500 for status in nonsense), nonsense
    stack.wait_for_ending(task_id)
    settle(stack)
    task = person.judge_one_ending(task_id, issue)
    assert (task["status"], task["attempt"], task["callback_attempts"] > 0) == ("success", 1, True)
    kinds = {one["kind"] for one in stack.task(task_id)["events"]}
    assert {"second_claim_refused", "callback_refused"} <= kinds
    assert stack.task(other)["reason"] == "no_changes"


def machine_token(stack):
    """The token in the environment of the one worker that runs."""
    for pid in worker_processes(stack):
        with open(f"/proc/{pid}/environ", "rb") as file:
            for variable in file.read().split(b"\0"):
                if variable.startswith(b"PORTER_CALLBACK_TOKEN="):
                    return variable.split(b"=", 1)[1].decode()
    pytest.skip("a worker's environment is hidden from this user")


def test_a_full_disk_answers_503_and_writes_resume_when_there_is_room(folder):
    if os.geteuid() != 0:
        pytest.skip("a small file system can be mounted by root only")
    small = folder / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(small)], check=True)
    try:
        with make_stack(
            folder, watchdog_every=None, without={"porter-runner"},
            settings={"PORTER_DATABASE": str(small / "porter.sqlite")},
        ) as stack:
            person = Person(stack)
            filler = small / "filler"
            descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT)
            with contextlib.suppress(OSError):
                while os.write(descriptor, b"\0" * 4096):
                    pass
            os.close(descriptor)
            payload = _command(4_400_000_001)

            seen = [person.deliver("issue_comment", _command(4_400_000_010 + number))[0] for number in range(20)]
            refused, answer = person.deliver("issue_comment", payload)
            ready = stack.get("/readyz")[0]
            filler.unlink()
            accepted, _ = person.deliver("issue_comment", payload)

            assert refused == 503 and answer["error"] == "unavailable", (seen, refused, answer)
            assert ready == 503
            assert accepted == 202
            stored = {
                row["comment_id"] for row in read_rows(small / "porter.sqlite", "SELECT comment_id FROM commands")}
            taken = {4_400_000_010 + number for number, status in enumerate(seen) if status == 202}
            assert taken | {4_400_000_001} <= stored
            assert all(status in (202, 503) for status in seen)
    finally:
        subprocess.run(["umount", str(small)], check=False)


def _command(comment: int) -> dict:
    user = {"login": "hubert", "id": 583231, "type": "User"}
    return {
        "action": "created",
        "issue": {"number": 1, "title": "Full", "body": "x" * 2000, "user": user},
        "comment": {
            "id": comment, "html_url": f"https://example.org/{comment}", "body": "@porter demo fill it up",
            "user": user, "performed_via_github_app": None},
        "repository": {
            "id": 1296269, "name": "hello", "full_name": HELLO,
            "owner": {"login": "octo-team", "id": 9919, "type": "Organization"}},
        "installation": {"id": 31}, "sender": user,
    }
