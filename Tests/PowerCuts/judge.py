"""Opens what a power cut left, with the system's SQLite, and says what of the acknowledged is not there."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from load import Fact, log_text


class Left:
    """What a database holds that facts speak of; nothing when it has no schema yet."""

    def __init__(self, path: Path):
        self.problems: list[str] = []
        self.deliveries: dict[str, str | None] = {}
        self.commands: set[int] = set()
        self.tasks: set[str] = set()
        self.attempts: dict[tuple[str, int], sqlite3.Row] = {}
        self.logs: dict[tuple[str, int], bytes] = {}
        self.setting = 0
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            self._read(connection)
        except sqlite3.Error as error:
            self.problems.append(f"SQLite: {error}")
        finally:
            connection.close()

    def _read(self, connection: sqlite3.Connection) -> None:
        connection.row_factory = sqlite3.Row
        (said,), = connection.execute("PRAGMA integrity_check(3)").fetchall()[:1]
        if said != "ok":
            self.problems.append(f"integrity_check: {said}")
        orphan = connection.execute("PRAGMA foreign_key_check").fetchone()
        if orphan:
            self.problems.append(f"foreign_key_check: {tuple(orphan)}")
        if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'marks'").fetchone():
            return
        doubled = connection.execute("SELECT comment_id FROM tasks GROUP BY comment_id HAVING count(*) > 1").fetchone()
        if doubled:
            self.problems.append(f"two tasks of the comment {doubled[0]}")
        self.deliveries = dict(connection.execute("SELECT guid, task_id FROM deliveries").fetchall())
        self.commands = {row[0] for row in connection.execute("SELECT comment_id FROM commands")}
        self.tasks = {row[0] for row in connection.execute("SELECT id FROM tasks")}
        for row in connection.execute("SELECT * FROM attempts"):
            self.attempts[row["task_id"], row["number"]] = row
        for row in connection.execute("SELECT task_id, attempt, text FROM logs ORDER BY task_id, attempt, offset"):
            key = row["task_id"], row["attempt"]
            self.logs[key] = self.logs.get(key, b"") + row["text"]
        (self.setting,), = connection.execute(
            "SELECT coalesce(max(CAST(value AS INTEGER)), 0) FROM settings WHERE name = 'timeout_s'").fetchall()

    def misses(self, fact: Fact) -> str | None:
        """What of the fact is not there; None when all is."""
        values = fact.values
        if fact.kind == "delivery":
            if values["guid"] not in self.deliveries and values["comment"] not in self.commands:
                return f"delivery {values['guid']}"
            if values["comment"] not in self.commands:
                return f"command {values['comment']}"
            if values["task"] and values["task"] not in self.tasks:
                return f"task {values['task']}"
            return None
        if fact.kind == "setting":
            return None if self.setting >= values["value"] else f"setting {values['value']}, there is {self.setting}"
        attempt = self.attempts.get((values["task"], values["attempt"]))
        if attempt is None:
            return f"attempt {values['attempt']} of {values['task']}"
        checks = {
            "claim": lambda: (attempt["callback_token_digest"] or b"").hex() == values["digest"],
            "progress": lambda: self._has_progress(attempt, values),
            "complete": lambda: attempt["report_status"] is not None,
        }
        return None if checks[fact.kind]() else f"{fact.kind} of {values['task']}"

    def _has_progress(self, attempt: sqlite3.Row, values: dict) -> bool:
        told = {"agent": "agent_started_at", "saving": "saving_at"}.get(values["phase"])
        log = self.logs.get((values["task"], values["attempt"]), b"")
        return (
            (told is None or attempt[told] is not None) and attempt["log_bytes"] >= values["log"]
            and len(log) >= values["log"] and log == log_text(values["task"], len(log)))
