"""What speaks to Porter during a recording: GitHub's deliveries and workers, and what they were acknowledged."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import itertools
import json
import random
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "scripts"))

import fastcgi  # noqa: E402
from machines import Engine  # noqa: E402
from stack import Stack  # noqa: E402

CLIENTS = 6
WORKERS = 3
# Seconds between two deliveries of one client.
PAUSES = (0.0, 0.1, 1.0, 2.0)
FIRST_COMMENT = 4_500_000_000
# What the setting that is raised may be.
LEAST_TIMEOUT, MOST_TIMEOUT = 60, 3600


@dataclass
class Fact:
    """Something that was acknowledged with 2xx, so that it must survive."""

    act: int
    kind: str
    values: dict = field(default_factory=dict)


def log_text(task: str, size: int) -> bytes:
    """The beginning of the log that a task's worker sends."""
    line = f"{task} says so\n".encode()
    return (line * (size // len(line) + 1))[:size]


class Load:
    """The clients and workers of a recording."""

    def __init__(self, stack: Stack, engine: Engine, seed: str):
        self.stack, self.engine, self.seed = stack, engine, seed
        self.facts: list[Fact] = []
        self.failures = 0
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._key = stack.webhook_secret.encode()
        self.is_over = threading.Event()

    @property
    def reports(self) -> int:
        """Workers that have been heard to the end."""
        with self._lock:
            return sum(fact.kind == "complete" for fact in self.facts)

    def ask(self, path: str, body: dict, fields: dict, kind: str, method="POST", **values):
        """One request: its status and body; an acknowledgement becomes a fact. Status 0: no answer came."""
        data = json.dumps(body).encode()
        if kind == "delivery":
            fields = fields | {
                "X-Hub-Signature-256": "sha256=" + hmac.new(self._key, data, hashlib.sha256).hexdigest()}
        with self._lock:
            act = next(self._numbers)
        try:
            status, answer = fastcgi.ask(str(self.stack.fcgi_socket), act, method, path, data, fields)
        except OSError:
            status, answer = 0, None
        if 200 <= status < 300 and not (kind == "delivery" and answer["status"] == "ignored"):
            if kind == "delivery":
                values["task"] = answer["task"]
            if kind == "claim":
                values |= {
                    "task": answer["task_id"], "attempt": answer["attempt"],
                    "digest": hashlib.sha256(answer["callback_token"].encode()).hexdigest()}
            with self._lock:
                self.facts.append(Fact(act, kind, values))
        elif status == 0 or status >= 500:
            with self._lock:
                self.failures += 1
        return status, answer

    def deliver(self, chance: random.Random, number: int) -> None:
        """A comment, repeated until it is answered, and now and then once more."""
        kind = chance.choices(["run", "help", "nothing"], [6, 1, 3])[0]
        text = {"run": f"@porter demo number {number}", "help": "@porter help", "nothing": "a word"}[kind]
        body = comment(FIRST_COMMENT + number, text, "x" * chance.choice([0, 300, 6000]))
        guid = str(uuid.UUID(int=chance.getrandbits(128)))
        fields = {"X-GitHub-Event": "issue_comment", "X-GitHub-Delivery": guid}
        comments = {} if kind == "nothing" else {"comment": FIRST_COMMENT + number}
        for _ in range(200):
            status, _ = self.ask("/api/webhooks/github", body, fields, "delivery", guid=guid, **comments)
            if status == 202 and chance.random() > 0.1:
                return
            if status != 202:
                time.sleep(0.02)
        raise AssertionError(f"delivery {number} was never taken")

    def clients(self) -> list[threading.Thread]:
        numbers = itertools.count()

        def run(chance: random.Random):
            while not self.is_over.is_set():
                with self._lock:
                    number = next(numbers)
                self.deliver(chance, number)
                time.sleep(chance.choice(PAUSES))

        return [
            threading.Thread(target=run, args=(random.Random(f"{self.seed} client {at}"),)) for at in range(CLIENTS)]

    def workers(self) -> list[threading.Thread]:
        def run(chance: random.Random):
            while not self.is_over.is_set():
                with contextlib.suppress(Exception):
                    self.work(self.engine.created.get(timeout=0.1), chance)

        return [
            threading.Thread(target=run, args=(random.Random(f"{self.seed} worker {at}"),)) for at in range(WORKERS)]

    def person(self) -> threading.Thread:
        """Somebody signed in, who raises a setting again and again."""
        cookie = "cut-" + hashlib.sha256(self.seed.encode()).hexdigest()
        digest, now = hashlib.sha256(cookie.encode()).hexdigest(), int(time.time() * 1000)
        # By a program on the watched disk, so that these writes are in the log like all others.
        subprocess.run(
            ["sqlite3", "-cmd", ".timeout 10000", self.stack.environment["PORTER_DATABASE"],
             f"""INSERT INTO people (id, login, created_at, signed_in_at, rights_at)
                 VALUES (583231, 'hubert', {now}, {now}, {now});
                 INSERT INTO sessions (id, digest, person_id, created_at, used_at)
                 VALUES ('{digest[:32]}', x'{digest}', 583231, {now}, {now})"""],
            env=self.stack.environment, check=True, capture_output=True)
        fields = {"Cookie": f"__Host-porter_session={cookie}", "Origin": self.stack.porter_url}

        def run():
            for value in range(LEAST_TIMEOUT, MOST_TIMEOUT):
                if self.is_over.is_set():
                    return
                self.ask("/api/config", {"timeout_s": value}, fields, "setting", method="PATCH", value=value)
                time.sleep(0.05)

        return threading.Thread(target=run)

    def work(self, environment: dict[str, str], chance: random.Random) -> None:
        """One machine's worker, from its claim to its report."""
        task = environment["PORTER_TASK_ID"]
        status, answer = self._insist(
            "claim", {"nonce": f"n-{chance.getrandbits(64)}", "protocol": 1, "version": "cut"},
            environment["PORTER_CALLBACK_TOKEN"])
        if status != 200:
            return
        token, known = answer["callback_token"], {"task": task, "attempt": answer["attempt"]}
        sent = 0
        for phase in ["clone", *["agent"] * chance.randint(1, 4), "saving"]:
            size = chance.choice([0, 40, 3000]) if phase == "agent" else 0
            piece = log_text(task, sent + size)[sent:].decode()
            body = {"phase": phase} | ({"log": {"offset": sent, "text": piece}} if size else {})
            sent += size
            status, _ = self._insist("progress", body, token, **known, phase=phase, log=sent)
            if status != 200:
                return
        self._insist("complete", {"task_id": task, "status": "failed", "reason": "agent_failed"}, token, **known)

    def _insist(self, what: str, body: dict, token: str, **values):
        for _ in range(200):
            status, answer = self.ask(
                f"/api/callbacks/{what}", body, {"X-Porter-Callback-Token": token}, what, **values)
            if 0 < status < 500:
                return status, answer
            time.sleep(0.02)
        return 0, None


def comment(number: int, text: str, issue_body: str) -> dict:
    user = {"login": "hubert", "id": 583231, "type": "User"}
    return {
        "action": "created", "issue": {"number": 1, "title": "Cut", "body": issue_body, "user": user},
        "comment": {
            "id": number, "html_url": f"https://example.org/{number}", "body": text, "user": user,
            "performed_via_github_app": None},
        "repository": {
            "id": 1296269, "name": "hello", "full_name": "octo-team/hello",
            "owner": {"login": "octo-team", "id": 9919, "type": "Organization"}},
        "installation": {"id": 31}, "sender": user,
    }
