#!/usr/bin/env python3
"""How quickly pages are answered with many tasks and people, while GitHub is switched off.

Usage: pages.py [--tasks 100000] [--people 1000] [--requests 100]      PORTER_PROGRAMS names the programs

Through the real nginx and the real responder, over a database that is filled first. Prints one line a kind of request
and exits 1 when one of them misses its goal: 50 ms at the 95th percentile.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import random
import secrets
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from stack import Stack  # noqa: E402  (it lies in that folder)

GOAL = 50.0
SESSION = "__Host-porter_session"
REPOSITORIES = 2000
# How many repositories people see: from a newcomer to somebody who sees half of everything.
SIGHTS = [1, 5, 20, 100, 1000]
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def task_id(milliseconds: int) -> str:
    text = "".join(DIGITS[milliseconds >> shift & 31] for shift in range(45, -1, -5))
    return "task_" + text + "".join(random.choice(DIGITS) for _ in range(16))


def fill(path: Path, tasks: int, people: int) -> tuple[list[str], dict[str, str]]:
    """Writes tasks, people and their rights; the tasks' ids, and a cookie for some of the people."""
    random.seed(7)
    now = int(time.time() * 1000)
    database = sqlite3.connect(path, timeout=30)
    rows = []
    for number in range(tasks):
        created = now - (tasks - number) * 1000
        repository = int(REPOSITORIES * random.random() ** 2)
        state = random.choice(["success"] * 8 + ["failed", "timed_out", "cancelled"])
        if number >= tasks - 50:
            state = "queued"
        ended = None if state == "queued" else created + 500
        person = number % people
        name = task_id(created)
        rows.append((
            name, state, "timeout" if ended else None, repository, f"repo{repository}", number % 500 + 1,
            f"Title {number}", "An issue's text. " * 80, number + 1, person, f"person{person}",
            random.choice(["codex", "claude", "opencode"]), f"do thing {number}", f"porter/{name}",
            1 if ended else 0, created, created, ended, ended))
    database.executemany(
        """
        INSERT INTO tasks (id, state, reason, repository_id, installation_id, owner_login, repository_name,
            issue_number, issue_title, issue_body, comment_id, comment_url, author_id, author_login, agent, priority,
            instructions, is_draft, context, timeout, branch, base_branch, executor, attempt, created_at, admitted_at,
            finished_at, published_at)
        VALUES (?, ?, ?, ?, 77, 'acme', ?, ?, ?, ?, ?, '', ?, ?, ?, 'normal', ?, 0, 'writers', 600, ?, 'main', 'local',
            ?, ?, ?, ?, ?)
        """, rows)
    database.executemany(
        """
        INSERT INTO repositories (id, installation_id, owner_id, owner_login, name, default_branch, updated_at)
        VALUES (?, 77, 9, 'acme', ?, 'main', 0)
        """, [(number, f"repo{number}") for number in range(REPOSITORIES)])
    cookies = {}
    for person in range(people):
        sight = SIGHTS[person % len(SIGHTS)]
        database.execute(
            "INSERT INTO people (id, login, created_at, signed_in_at, rights_at) VALUES (?, ?, ?, ?, ?)",
            (person, f"person{person}", now, now, now))
        database.executemany(
            "INSERT INTO person_repositories VALUES (?, ?, 1)",
            [(person, repository) for repository in random.sample(range(REPOSITORIES), sight)])
        cookie = secrets.token_hex(32)
        database.execute(
            "INSERT INTO sessions (id, digest, person_id, created_at, used_at) VALUES (?, ?, ?, ?, ?)",
            (secrets.token_hex(16), hashlib.sha256(cookie.encode()).digest(), person, now, now))
        cookies[cookie] = f"person{person}"
    database.commit()
    database.close()
    return [row[0] for row in rows], cookies


def measure(port: int, cookies: list[str], path, requests: int) -> list[float]:
    times = []
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for number in range(requests):
        cookie = cookies[number * 7919 % len(cookies)]
        start = time.perf_counter()
        connection.request("GET", path(number), headers={"Cookie": f"{SESSION}={cookie}"})
        response = connection.getresponse()
        response.read()
        times.append((time.perf_counter() - start) * 1000)
        assert response.status in (200, 404), (path(number), response.status)
    return sorted(times)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--requests", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, Stack(
        Path(folder), without=("porter-runner",), watchdog_every=None
    ) as stack:
        ids, cookies = fill(stack.database, options.tasks, options.people)
        # Whoever called GitHub now would wait, and fail.
        stack.end("github")
        kinds = [
            ("list", lambda number: "/api/tasks"),
            ("history", lambda number: "/api/tasks/history?limit=50"),
            ("failed", lambda number: "/api/tasks?status=failed"),
            ("what runs", lambda number: "/api/tasks?status=queued,running&limit=20"),
            ("agent", lambda number: "/api/tasks?agent=codex"),
            ("no such agent", lambda number: "/api/tasks?agent=amp"),
            ("repository", lambda number: f"/api/tasks?repo=acme/repo{number % REPOSITORIES}"),
            ("issue", lambda number: f"/api/tasks?issue={number % 500 + 1}"),
            ("author", lambda number: f"/api/tasks?created_by=person{number}"),
            ("last page", lambda number: f"/api/tasks?cursor={ids[1000]}"),
            ("task", lambda number: f"/api/tasks/{ids[-1 - number * 97 % len(ids)]}"),
            ("status", lambda number: f"/api/tasks/{ids[-1 - number * 97 % len(ids)]}/status"),
            ("log", lambda number: f"/api/tasks/{ids[-1 - number * 97 % len(ids)]}/log"),
            ("sessions", lambda number: "/api/sessions"),
            ("search", lambda number: f"/api/tasks?search=thing+{number}9"),
        ]
        missed = 0
        print(f"{'':14} {'50 %':>8} {'95 %':>8} {'most':>8}   milliseconds, {options.requests} requests each")
        for name, path in kinds:
            # Rights are good for ten minutes.
            with sqlite3.connect(stack.database, timeout=30) as database:
                database.execute("UPDATE people SET rights_at = ?", (int(time.time() * 1000),))
            times = measure(stack.port, list(cookies), path, options.requests)
            middle, late = times[len(times) // 2], times[int(len(times) * 0.95)]
            is_missed = late > GOAL
            missed += is_missed
            print(f"{name:14} {middle:8.1f} {late:8.1f} {times[-1]:8.1f}   {'MISSED' if is_missed else ''}")
        return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
