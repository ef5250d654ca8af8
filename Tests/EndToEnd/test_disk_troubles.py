"""A disk that is full or fails, and a database that others hold: no 2xx without a row, and all is well afterwards."""

from __future__ import annotations

import contextlib
import os
import queue
import random
import sqlite3
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "Tests" / "PowerCuts"))

import replay  # noqa: E402
from disk import Disk  # noqa: E402
from judge import Left  # noqa: E402
from load import Load, comment, log_text  # noqa: E402
from machines import Engine  # noqa: E402
from outside import Person  # noqa: E402
from stack import Stack, wait_for  # noqa: E402

FIRST = 4_600_000_000


class Scene:
    """A running Porter with one task whose worker is the test itself."""

    def __init__(self, stack: Stack, engine: Engine, disk: Disk | None, database: Path):
        self.stack, self.disk, self.database = stack, disk, database
        self.load = Load(stack, engine, "scene")
        self.refused: list[int] = []
        self.sent = 0
        assert self.deliver(0) == 202
        try:
            machine = engine.created.get(timeout=60)
        except queue.Empty:
            raise AssertionError("no machine was asked for") from None
        status, answer = self._call(
            "claim", {"nonce": "n", "protocol": 1, "version": "test"}, machine["PORTER_CALLBACK_TOKEN"])
        assert status == 200
        self.token, self.task, self.attempt = answer["callback_token"], answer["task_id"], answer["attempt"]
        assert self.say() == 200
        self.process = stack.parts["porter-fcgi"].process

    def _call(self, what: str, body: dict, token: str, **values):
        return self.load.ask(f"/api/callbacks/{what}", body, {"X-Porter-Callback-Token": token}, what, **values)

    def deliver(self, number: int) -> int:
        """A command; the status of its answer."""
        body = comment(FIRST + number, f"@porter demo number {number}", "x" * 6000)
        fields = {"X-GitHub-Event": "issue_comment", "X-GitHub-Delivery": str(uuid.uuid4())}
        status, _ = self.load.ask(
            "/api/webhooks/github", body, fields, "delivery", guid=fields["X-GitHub-Delivery"],
            comment=FIRST + number)
        if status != 202:
            self.refused.append(FIRST + number)
        return status

    def say(self, size: int = 3000) -> int:
        """A piece of the worker's log, the same again until it is taken; the status."""
        piece = log_text(self.task, self.sent + size)[self.sent:].decode()
        body = {"phase": "agent", "log": {"offset": self.sent, "text": piece}}
        status, _ = self._call(
            "progress", body, self.token, task=self.task, attempt=self.attempt, phase="agent", log=self.sent + size)
        if status == 200:
            self.sent += size
        return status

    def report(self) -> int:
        body = {"task_id": self.task, "status": "failed", "reason": "agent_failed"}
        return self._call("complete", body, self.token, task=self.task, attempt=self.attempt)[0]

    def judge(self) -> None:
        """Everything that was acknowledged is there, and nothing of what was refused."""
        left = Left(self.database)
        assert left.problems == []
        assert [words for fact in self.load.facts if (words := left.misses(fact))] == []
        assert [one for one in self.refused if one in left.commands] == []
        assert len(left.tasks) == len(left.commands)

    def resumes(self) -> None:
        """What was refused is taken when it comes again, by the same process."""
        again, self.refused = self.refused, []
        for number in again:
            wait_for(lambda number=number: self.deliver(number - FIRST) == 202, "a delivery to be taken", 20, every=0.2)
        self.refused = []
        wait_for(lambda: self.say() == 200, "progress to be taken", 20, every=0.2)
        wait_for(lambda: self.report() == 200, "the report to be taken", 20, every=0.2)
        wait_for(lambda: self.stack.get("/readyz")[1]["status"] == "ready", "readiness", 20, every=0.2)
        self.judge()
        assert self.process.poll() is None and self.stack.parts["porter-fcgi"].process is self.process


@contextlib.contextmanager
def scene(folder: Path, home: Path | None = None, is_watched=True):
    home = home or folder / "database"
    home.mkdir(exist_ok=True)
    database = home.resolve() / "porter.sqlite"
    disk = Disk(folder, database) if is_watched else None
    settings = {
        "PORTER_DATABASE": str(database), "PORTER_TASKS_TOTAL": "1000", "PORTER_TASKS_PER_USER": "1000",
    } | (disk.environment if disk else {})
    stack = Stack(folder / "stack", settings=settings, without={"porter-runner"}, watchdog_every=None)
    with stack, Engine(stack.runner_socket) as engine:
        yield Scene(stack, engine, disk, database)


@contextlib.contextmanager
def small_disk(folder: Path, kind: str):
    """A file system of 12 MB."""
    if os.geteuid() != 0:
        pytest.skip("a small file system can be mounted by root only")
    at = folder / "small"
    at.mkdir()
    if kind == "tmpfs":
        mount = ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(at)]
    else:
        image = folder / "image"
        image.write_bytes(b"")
        os.truncate(image, 12 * 1024 * 1024)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", str(image)], check=True, capture_output=True)
        mount = ["mount", "-o", "loop", str(image), str(at)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip(f"this system cannot mount {kind}")
    try:
        yield at
    finally:
        subprocess.run(["umount", str(at)], check=False)


def fill(path: Path) -> None:
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        for size in [65_536, 512]:
            with contextlib.suppress(OSError):
                while file.write(b"\0" * size):
                    os.fdatasync(file)


@pytest.mark.parametrize("kind", ["tmpfs", "ext4"])
def test_a_full_disk_answers_503_and_writes_resume_when_there_is_room(folder, kind):
    with small_disk(folder, kind) as small, scene(folder, small, is_watched=False) as it:
        fill(small / "filler")

        # The log's own file may have room left for a while.
        deliveries = [it.deliver(number) for number in range(1, 3)]
        while deliveries[-1] == 202 and len(deliveries) < 1000:
            deliveries.append(it.deliver(len(deliveries) + 1))
        sayings = [it.say(60_000)]
        while sayings[-1] == 200 and len(sayings) < 300:
            sayings.append(it.say(60_000))
        reported = it.report()

        assert set(deliveries) <= {202, 503} and deliveries[-1] == 503
        assert set(sayings) <= {200, 503} and sayings[-1] == 503
        assert reported in (200, 503)
        # A small write may find room in the log for a while.
        wait_for(lambda: it.stack.get("/readyz")[0] == 503, "readiness to end", 60, every=0.5)
        it.judge()

        (small / "filler").unlink()
        if reported == 503:
            it.resumes()
        else:
            assert it.deliver(5000) == 202
            it.judge()


@pytest.mark.parametrize("what", ["writes", "syncs"])
def test_a_failing_disk_answers_503_and_all_goes_on_when_it_is_well(folder, what):
    with scene(folder) as it:
        it.disk.fail(**{what: 1_000_000})

        assert [it.deliver(number) for number in range(1, 6)] == [503] * 5
        assert [it.say() for _ in range(3)] == [503] * 3
        assert it.report() == 503
        wait_for(lambda: it.stack.get("/readyz")[0] == 503, "readiness to end", 10)
        it.judge()

        it.disk.fail()
        it.resumes()

        # What a failed sync was to bring to the disk may be missing for ever: nothing hangs on it.
        records = replay.read_log(it.disk.log)
    whole = replay.Disk()
    for number, record in enumerate(records):
        whole.play(number, record)
    for seed in range(30):
        after = folder / f"after-{seed}"
        after.mkdir()
        for ending, content in whole.cut(random.Random(seed)).items():
            (after / f"porter.sqlite{ending}").write_bytes(content)
        left = Left(after / "porter.sqlite")
        assert left.problems == []
        assert [words for fact in it.load.facts if (words := left.misses(fact))] == []


@contextlib.contextmanager
def locked(database: Path, seconds: float):
    """Another program that holds the database's write lock for so long."""
    has_it = threading.Event()

    def hold():
        connection = sqlite3.connect(database, isolation_level=None, timeout=10)
        connection.execute("BEGIN IMMEDIATE")
        has_it.set()
        time.sleep(seconds)
        connection.execute("ROLLBACK")
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert has_it.wait(15)
    try:
        yield
    finally:
        thread.join()


def test_a_database_that_is_locked_for_four_seconds_delays_answers_and_fails_none(folder):
    with scene(folder, is_watched=False) as it:
        statuses = []
        threads = [
            threading.Thread(target=lambda act=act: statuses.append(act()))
            for act in [lambda: it.deliver(1), lambda: it.deliver(2), it.say]]
        begun = time.monotonic()
        with locked(it.database, 4):
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        assert sorted(statuses) == [200, 202, 202]
        assert time.monotonic() - begun >= 4
        it.judge()


def test_a_database_that_is_locked_for_six_seconds_answers_503_and_does_nothing_by_half(folder):
    # No task yet: a quiet Porter has no write of its own under way when the delivery comes.
    with Stack(folder / "stack", without={"porter-runner"}, watchdog_every=None) as stack:
        person = Person(stack)
        wait_for(lambda: stack.get("/readyz")[0] == 200, "readiness")
        with locked(stack.database, 6):
            status, answer = person.deliver("issue_comment", comment(FIRST, "@porter demo wait", ""))
        assert status == 503 and answer["error"] == "unavailable", answer
        for table in ["tasks", "deliveries", "commands"]:
            assert stack.rows(f"SELECT 1 FROM {table}") == [], table

        status, answer = person.deliver("issue_comment", comment(FIRST, "@porter demo wait", ""))
        assert status == 202 and answer["status"] == "accepted"
        assert len(stack.rows("SELECT 1 FROM commands")) == 1
