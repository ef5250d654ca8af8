"""Drives a running stack as a person, GitHub or an operator would, and judges it from outside."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import socket
import time
import uuid

from stack import Stack, wait_for

HELLO = "octo-team/hello"
BOT = "porter-dev[bot]"
WORDS = {"success": "Done", "failed": "Failed", "timed_out": "Timed out", "cancelled": "Cancelled"}


class Person:
    """Drives one stack as a person, GitHub or an operator would."""

    def __init__(self, stack: Stack):
        self.stack = stack

    def new_issue(self, title="Greet people by name", body="Please.", repository=HELLO) -> int:
        answer = self.stack.control(
            "POST", "/issues", {"repository": repository, "title": title, "body": body, "author": "hubert"})
        return answer["number"]

    def ask(self, text: str, issue: int, author="hubert", repository=HELLO) -> dict:
        """Writes a comment; the answer holds its id, and what Porter answered to the delivery."""
        return self.stack.comment(text, issue=issue, author=author, repository=repository)

    def start(self, text: str, issue: int, author="hubert", repository=HELLO) -> str:
        """Writes a command that makes a task and returns the task's id."""
        answer = self.ask(text, issue, author, repository)
        delivery = answer["delivery"]
        assert delivery["status"] == 202, delivery
        said = json.loads(delivery["answer"])
        assert said["status"] == "accepted" and said["task"], said
        return said["task"]

    def comments(self, issue: int, repository=HELLO) -> list[dict]:
        """The issue's comments as they read now, oldest first."""
        owner, name = repository.split("/")
        shown = self.stack.control("GET", f"/issue?owner={owner}&repo={name}&number={issue}")
        return [
            {"id": one["id"], "author": one["user"]["login"], "body": one["body"]} for one in shown["comment_list"]
        ]

    def ours(self, issue: int, repository=HELLO) -> list[dict]:
        return [one for one in self.comments(issue, repository) if one["author"] == BOT]

    def marked(self, issue: int, marker: str, repository=HELLO) -> list[dict]:
        return [one for one in self.ours(issue, repository) if one["body"].endswith(f"<!-- porter:{marker} -->")]

    def reply_to(self, comment: int, issue: int, repository=HELLO, seconds=30.0) -> str:
        """The text of the one answer to a comment."""
        found = wait_for(
            lambda: self.marked(issue, f"reply:{comment}", repository), f"an answer to comment {comment}", seconds)
        assert len(found) == 1
        return found[0]["body"]

    def effects(self, kind: str, **fields) -> list[dict]:
        return [
            one for one in self.stack.effects()
            if one["kind"] == kind and all(one.get(name) == value for name, value in fields.items())
        ]

    def deliver(self, event: str, payload, guid: str | None = None, secret: str | None = None, **headers):
        """Posts a delivery to Porter through nginx as GitHub would: (status, answer)."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        key = (secret or self.stack.webhook_secret).encode()
        fields = {
            "Content-Type": "application/json", "X-GitHub-Event": event,
            "X-GitHub-Delivery": guid or str(uuid.uuid4()),
            "X-Hub-Signature-256": "sha256=" + hmac.new(key, body, hashlib.sha256).hexdigest(),
            "User-Agent": "GitHub-Hookshot/test",
        } | headers
        status, answer, _ = self.stack.request(
            "POST", f"{self.stack.porter_url}/api/webhooks/github", body,
            {name: value for name, value in fields.items() if value is not None})
        return status, answer

    def judge_one_ending(self, task_id: str, issue: int, repository=HELLO) -> dict:
        """The promise, from outside: one ending, which agrees with the database and with GitHub."""
        task = self.stack.task(task_id)
        endings = self.marked(issue, f"{task_id}:ending", repository)
        assert len(endings) == 1, endings
        first = endings[0]["body"].split("\n")[0]
        assert first.startswith(f"**{WORDS[task['status']]}**"), first
        if task["reason"]:
            assert f"`{task['reason']}`" in endings[0]["body"]
        assert len(self.marked(issue, f"{task_id}:status", repository)) <= 1
        pulls = [
            one for one in self.effects("pull.created", repository=repository) if one["head"] == task["branch"]
        ]
        assert len(pulls) == (1 if task["pr_number"] else 0)
        self.judge_machines(task_id, task["attempt"])
        return task

    def judge_machines(self, task_id: str, attempts: int) -> None:
        """The engine's word: one machine an attempt at most, and none that Porter took for another."""
        made = self.machines(task_id)
        names = [one["name"] for one in made]
        allowed = [f"porter-{task_id}-{number}".lower().replace("_", "-") for number in range(1, attempts + 1)]
        assert len(set(names)) == len(names) and set(names) <= set(allowed), (names, allowed)
        recorded = self.stack.rows(
            "SELECT machine_id, machine_name FROM attempts WHERE task_id = ? AND machine_id IS NOT NULL", task_id)
        assert {(one["machine_id"], one["machine_name"]) for one in recorded} <= {
            (one["id"], one["name"]) for one in made}

    def machines(self, task_id: str) -> list[dict]:
        """Every machine that porter-runner ever made for the task, destroyed ones included."""
        connection = UnixConnection(self.stack.runner_socket)
        try:
            connection.request(
                "GET", f"/v1/apps/local/machines?include_deleted=true&metadata.porter_task={task_id}")
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        assert answer.status == 200, body
        return json.loads(body)


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path, timeout: float = 10.0):
        super().__init__("localhost", timeout=timeout)
        self.path = str(path)

    def connect(self) -> None:
        # The runner listens again by itself when its server was cut; Porter's own calls are repeated as well.
        deadline = time.monotonic() + self.timeout
        while True:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(self.timeout)
            try:
                return self.sock.connect(self.path)
            except ConnectionRefusedError:
                self.sock.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)


def settle(stack: Stack, seconds: float = 40.0) -> None:
    """Waits until no job is left but looks that repeat themselves, so that nothing happens behind a judge's back."""
    wait_for(
        lambda: not stack.rows("SELECT 1 FROM jobs WHERE kind NOT IN ('recover', 'sweep', 'refresh')"),
        "the queue to be empty", seconds)


def machine_processes(stack) -> list[int]:
    """Processes that belong to a machine of this stack: they work below its runner's folder."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                command = file.read().replace(b"\0", b" ").decode(errors="replace")
            with open(f"/proc/{entry}/environ", "rb") as file:
                environment = file.read().decode(errors="replace")
        except OSError:
            continue
        state = str(stack.runner_state)
        is_runner = "porter-runner" in command.split(" ")[0] and "PORTER_RUNNER_SOCKET" in environment
        if (state in command or f"PORTER_WORKSPACE={state}" in environment) and not is_runner:
            found.append(int(entry))
    return found


def worker_processes(stack) -> list[int]:
    found = []
    for pid in machine_processes(stack):
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                if file.read().strip() == "porter-worker":
                    found.append(pid)
        except OSError:
            continue
    return found
