"""Databases with a long history, for the benchmarks: finished tasks with all that belongs to them."""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import sqlite3
import subprocess
import time
from pathlib import Path

DAY_MS = 86_400_000
# Everything is younger than the retention, so that nothing of it is pruned while it is measured.
OLDEST_DAYS = 80
PEOPLE, REPOSITORIES, ISSUES = 200, 50, 2000
STATES = ["success", "success", "success", "failed", "timed_out", "cancelled"]
AGENTS = ["claude", "codex", "gemini"]
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def environment(folder: Path, database: Path) -> dict[str, str]:
    """Settings of a Porter whose GitHub and engine are out of reach."""
    key = folder / "app.pem"
    if not key.exists():
        subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    return {
        "PATH": os.environ["PATH"], "PORTER_PUBLIC_URL": "http://127.0.0.1:1",
        "PORTER_SECRET_KEYS": "k1:" + base64.b64encode(bytes(32)).decode(),
        "PORTER_GITHUB_APP_ID": "1", "PORTER_GITHUB_APP_PRIVATE_KEY_FILE": str(key),
        "PORTER_GITHUB_CLIENT_ID": "benchmark", "PORTER_GITHUB_CLIENT_SECRET": "benchmark-client-secret",
        "PORTER_GITHUB_WEBHOOK_SECRET": "benchmark-webhook-secret", "PORTER_GITHUB_API_URL": "http://127.0.0.1:1",
        "PORTER_DATABASE": str(database), "PORTER_FCGI_SOCKET": str(folder / "fcgi.sock"),
        "PORTER_RUNNER_SOCKET": str(folder / "no-runner.sock"), "PORTER_OPERATOR_TOKEN": "benchmark-operator",
        "PORTER_LOG_LEVEL": "error",
    }


def task_id(at_ms: int, number: int) -> str:
    def letters(value: int, count: int) -> str:
        return "".join(CROCKFORD[value >> 5 * place & 31] for place in reversed(range(count)))

    return "task_" + letters(at_ms, 10) + letters(number, 16)


def fill(watchdog: Path, folder: Path, tasks: int) -> Path:
    """A database in the folder with so many finished and published tasks, as today's schema has it."""
    database = folder / f"{tasks}.sqlite"
    # A pass makes the schema.
    subprocess.run([str(watchdog)], env=environment(folder, database), check=False, capture_output=True, timeout=120)
    now = int(time.time() * 1000)
    step = OLDEST_DAYS * DAY_MS // tasks
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for sql in ["PRAGMA synchronous = OFF", "PRAGMA cache_size = -400000", "BEGIN"]:
            connection.execute(sql)

        def rows(make):
            return (make(number, now - (tasks - number) * step - DAY_MS) for number in range(tasks))

        def ident(number: int) -> str:
            return task_id(now - (tasks - number) * step - DAY_MS, number)

        digest = secrets.token_bytes(32)
        connection.executemany(
            """INSERT INTO tasks (id, state, reason, repository_id, installation_id, owner_login, repository_name,
               issue_number, issue_title, issue_body, comment_id, comment_url, author_id, author_login, agent,
               priority, instructions, is_draft, context, timeout, branch, base_branch, executor, attempt,
               created_at, admitted_at, started_at, finished_at, published_at)
               VALUES (?, ?, ?, ?, 31, 'octo-team', ?, ?, 'Flaky login test', 'It fails on Mondays.', ?,
               'https://example.org/c', ?, ?, ?, 'normal', 'fix the flaky login test', 0, 'writers', 600, ?, 'main',
               'local', 1, ?, ?, ?, ?, ?)""",
            rows(lambda n, at: (
                ident(n), STATES[n % 6], None if n % 6 < 3 else "agent_failed", n % REPOSITORIES,
                f"hello-{n % REPOSITORIES}", n % ISSUES, 1_000_000 + n, n % PEOPLE, f"person-{n % PEOPLE}",
                AGENTS[n % 3], f"porter/{ident(n)}", at, at + 1000, at + 5000, at + 300_000, at + 301_000)))
        connection.executemany(
            """INSERT INTO attempts (task_id, number, machine_name, engine, machine_token_digest,
               callback_token_digest, created_at, claimed_at, claim_answered_at, gone_at)
               VALUES (?, 1, ?, 'local', ?, ?, ?, ?, ?, ?)""",
            rows(lambda n, at: (
                ident(n), f"m-{n}", n.to_bytes(8, "big") + digest[:24], n.to_bytes(8, "big") + digest[8:], at + 2000,
                at + 5000, at + 5100, at + 302_000)))
        connection.executemany(
            "INSERT INTO events (task_id, number, at, attempt, kind) VALUES (?, ?, ?, 1, ?)",
            ((ident(n), number, now, kind) for n in range(tasks)
             for number, kind in enumerate(("accepted", "ended", "published"), 1)))
        connection.executemany(
            "INSERT INTO deliveries (guid, event, action, digest, task_id, received_at) VALUES (?, 'e', 'a', ?, ?, ?)",
            rows(lambda n, at: (f"{n * 2654435761 % 2**32:08x}-{n}", digest, ident(n), at)))
        connection.executemany(
            """INSERT INTO commands (comment_id, kind, repository_id, installation_id, owner_login, repository_name,
               issue_number, author_id, author_login, task_id, received_at) VALUES (?, 'run', ?, 31, 'octo-team',
               'hello', ?, ?, 'p', ?, ?)""",
            rows(lambda n, at: (1_000_000 + n, n % REPOSITORIES, n % ISSUES, n % PEOPLE, ident(n), at)))
        connection.executemany(
            "INSERT INTO prompts (task_id, text, omissions) VALUES (?, 'do it', '[]')",
            ((ident(n),) for n in range(tasks)))
        connection.executemany(
            "INSERT INTO steps (key, task_id, began_at, calls, outcome, done_at) VALUES (?, ?, ?, 1, '1', ?)",
            rows(lambda n, at: (f"{ident(n)}/comment/ending", ident(n), at, at)))
        connection.executemany(
            "INSERT INTO tokens (task_id, attempt, purpose, expires_at, revoked_at) VALUES (?, 1, 'clone', ?, ?)",
            rows(lambda n, at: (ident(n), at, at)))
        for sql in ["COMMIT", "PRAGMA wal_checkpoint(TRUNCATE)"]:
            connection.execute(sql)
    return database
