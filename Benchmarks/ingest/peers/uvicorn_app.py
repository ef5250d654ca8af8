"""What a careful person writes with uvicorn and SQLite: signature, JSON, one durable row a delivery, answer.

PORTER_BENCH_SECRET is the webhook's secret, PORTER_BENCH_DATABASE the file.
"""

import hashlib
import hmac
import json
import os
import sqlite3

SECRET = os.environ["PORTER_BENCH_SECRET"].encode()
connection = sqlite3.connect(os.environ["PORTER_BENCH_DATABASE"], isolation_level=None)
connection.execute("PRAGMA journal_mode = WAL")
connection.execute("PRAGMA synchronous = FULL")
connection.execute("CREATE TABLE IF NOT EXISTS deliveries (guid TEXT PRIMARY KEY, comment INTEGER, body BLOB)")


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    fields = dict(scope["headers"])
    expected = "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()
    if hmac.compare_digest(expected.encode(), fields.get(b"x-hub-signature-256", b"")):
        payload = json.loads(body)
        connection.execute(
            "INSERT OR IGNORE INTO deliveries VALUES (?, ?, ?)",
            (fields[b"x-github-delivery"].decode(), payload["comment"]["id"], body))
        status, answer = 202, b'{"status":"accepted"}'
    else:
        status, answer = 401, b"{}"
    await send({"type": "http.response.start", "status": status,
                "headers": [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]})
    await send({"type": "http.response.body", "body": answer})
