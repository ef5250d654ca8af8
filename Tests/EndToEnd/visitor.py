"""A person who is signed in, for tests that are not about signing in: their session is put into the database."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
import time


class Visitor:
    """Calls the pages' interface through nginx as a signed-in person's browser would."""

    def __init__(self, stack, person_id: int, login: str, *, admin: bool = False):
        self.stack = stack
        cookie = "cookie-" + secrets.token_hex(24)
        now = int(time.time() * 1000)
        digest = hashlib.sha256(cookie.encode()).digest()
        with sqlite3.connect(stack.database, timeout=20) as database:
            database.execute(
                "INSERT INTO people (id, login, created_at, signed_in_at, rights_at) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET rights_at = excluded.rights_at", (person_id, login, now, now, now))
            database.execute(
                "INSERT INTO sessions (id, digest, person_id, created_at, used_at) VALUES (?, ?, ?, ?, ?)",
                (secrets.token_hex(16), digest, person_id, now, now))
            if admin:
                database.execute(
                    "INSERT INTO marks (name, value, at) VALUES ('admin.first', ?, ?) "
                    "ON CONFLICT (name) DO UPDATE SET value = excluded.value", (str(person_id), now))
        database.close()
        self.fields = {"Cookie": f"__Host-porter_session={cookie}", "Origin": stack.porter_url}

    def call(self, method: str, path: str, body=None):
        """(status, parsed body, headers)."""
        return self.stack.request(method, self.stack.porter_url + path, body, self.fields)

    def get(self, path: str):
        status, body, _ = self.call("GET", path)
        assert status == 200, (status, body)
        return body

    def change(self, method: str, path: str, body=None, expect: int = 200):
        status, answer, _ = self.call(method, path, body)
        assert status == expect, (status, answer)
        return answer
