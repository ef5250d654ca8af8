"""A recording: Porter under a seeded load on a watched disk, and what it acknowledged meanwhile.

Two responders and passes of the watchdog share the database. GitHub is the playground's, the engine's machines
run nothing, and threads of this program play GitHub's deliveries and the workers. Responders are ended and
killed, syncs and writes fail for a moment.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
import subprocess
import time
from pathlib import Path

from disk import Disk
from load import Fact, Load
from machines import Engine
from stack import Stack

# Seconds between two troubles.
BETWEEN_TROUBLES = (0.5, 2.0)
# Seconds for which somebody reads, while the log grows by some MiB.
READING = (0.3, 1.0)
# Seconds within which the log grows to a checkpoint, and its failure is repeated.
CHECKPOINT = 60
# Reports of workers that a recording waits for, so many times its length at most.
REPORTS = 20
PATIENCE = 4


def record(
    folder: Path, seed: str, seconds: float, synchronous="FULL", reports=REPORTS
) -> tuple[Path, list[Fact]]:
    """Makes a recording; the disk's log, and what was acknowledged.

    reports: workers that must have been heard to the end before it may be over.
    """
    home = folder / "database"
    home.mkdir(parents=True)
    database = home.resolve() / "porter.sqlite"
    disk = Disk(folder, database, synchronous)
    settings = disk.environment | {
        "PORTER_DATABASE": str(database), "PORTER_TASKS_TOTAL": "1000", "PORTER_TASKS_PER_USER": "1000",
        "PORTER_LOG_LEVEL": "notice"}
    stack = Stack(folder / "stack", settings=settings, without={"porter-runner"}, watchdog_every=None)
    with stack, Engine(stack.runner_socket) as engine:
        stack.start_fcgi("porter-fcgi-2")
        load = Load(stack, engine, seed)
        threads = [*load.clients(), *load.workers(), load.person()]
        for thread in threads:
            thread.start()
        troubles = Troubles(stack, disk, random.Random(f"{seed} troubles"))
        begun = time.monotonic()
        while (passed := time.monotonic() - begun) < seconds or (
                load.reports < reports and passed < seconds * PATIENCE):
            troubles.happen()
            time.sleep(troubles.chance.uniform(*BETWEEN_TROUBLES))
        # The one trouble that each recording has, with time in which the log begins anew.
        troubles.cease()
        troubles.fail_checkpoints()
        patience = time.monotonic() + CHECKPOINT
        while disk.failures_left and time.monotonic() < patience:
            time.sleep(0.05)
        if disk.failures_left:
            raise AssertionError(f"no checkpoint failed within {CHECKPOINT} s")
        time.sleep(max(BETWEEN_TROUBLES))
        load.is_over.set()
        for thread in threads:
            thread.join()
        troubles.cease()
        stack.end("porter-fcgi-2")
    return disk.log, load.facts


class Troubles:
    """What happens to programs and disks, one thing at a time."""

    NAMES = ("porter-fcgi", "porter-fcgi-2")

    def __init__(self, stack: Stack, disk: Disk, chance: random.Random):
        self.stack, self.disk, self.chance = stack, disk, chance
        self._pass: subprocess.Popen | None = None

    def happen(self) -> None:
        self.chance.choice([
            self.watchdog, self.end_one, self.end_all, self.kill_one, *[self.fail_syncs] * 2,
            *[self.fail_writes] * 2,
            self.fail_checkpoints])()

    def watchdog(self) -> None:
        """A pass beside the rest; one that is still at work is killed."""
        self._end_pass()
        with open(self.stack.folder / "logs" / "porter-watchdog.log", "ab") as log:
            self._pass = subprocess.Popen(
                [str(self.stack.programs / "porter-watchdog")], env=self.stack.environment, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log)

    def _end_pass(self) -> None:
        if self._pass is not None:
            self.disk.kill(self._pass.pid)
            self._pass.wait()
            self._pass = None

    def end_one(self) -> None:
        name = self.chance.choice(self.NAMES)
        self.stack.end(name)
        self.stack.start_fcgi(name)

    def end_all(self) -> None:
        """Nobody has the database open; an operator's shell, as the last one that closes it, removes the log."""
        for name in self.NAMES:
            self.stack.end(name)
        self._end_pass()
        subprocess.run(
            ["sqlite3", self.stack.environment["PORTER_DATABASE"], "SELECT count(*) FROM tasks"],
            env=self.stack.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        for name in self.NAMES:
            self.stack.start_fcgi(name)

    def kill_one(self) -> None:
        name = self.chance.choice(self.NAMES)
        part = self.stack.parts.pop(name)
        self.disk.kill(part.process.pid)
        part.process.wait()
        self.stack.start_fcgi(name)

    def fail_syncs(self) -> None:
        self.disk.fail(syncs=self.chance.randint(1, 4))

    def fail_writes(self) -> None:
        self.disk.fail(writes=self.chance.randint(1, 6))

    def fail_checkpoints(self) -> None:
        """Somebody reads for a while, so that checkpoints copy a part of the log and sync nothing; then their syncs fail.

        What they had copied must be copied again, or it may never reach the disk.
        """
        database = self.stack.environment["PORTER_DATABASE"]
        with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM tasks").fetchone()
            time.sleep(self.chance.uniform(*READING))
            self.disk.fail(checkpoints=self.chance.randint(1, 3))

    def cease(self) -> None:
        self.disk.fail()
        self._end_pass()
