#!/usr/bin/python3
"""A stand-in for Porter's interface, to see the pages in every state without Porter: for tests and for whoever works
on the pages.

Usage: standin.py [--state STATE] [--port PORT]        prints the address and answers until it is ended

It serves public/ with the headers that nginx would send, and answers the interface's calls from a table. It stores
nothing and checks nothing: what Porter itself answers is tested elsewhere.
"""

from __future__ import annotations

import argparse
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent.parent
PUBLIC = ROOT / "public"
TYPES = {
    ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml",
    ".json": "application/json", ".txt": "text/plain",
}
# What the stand-in does instead of answering.
SILENCE = "silence"
CUT = "cut"


def content_security_policy() -> str:
    """The policy of the pages, as nginx sends it."""
    text = (ROOT / "nginx" / "snippets" / "http.conf").read_text(encoding="utf-8")
    return re.search(r"\"(default-src 'none';[^\"]*)\"", text)[1]


class StandIn(ThreadingHTTPServer):
    """The server. `answers` maps `METHOD /path` to (status, body), to SILENCE, to CUT, or to a function of the
    request's body and query that returns one of these. What is not in it is 404."""

    daemon_threads = True

    def __init__(self, port: int = 0):
        super().__init__(("127.0.0.1", port), Handler)
        self.answers: dict = {}
        self.asked: list[tuple[str, str, object]] = []
        self.policy = content_security_policy()
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> StandIn:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address) -> None:
        """A browser that went away is no error."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StandIn

    def log_message(self, *_) -> None:
        pass

    def do_GET(self) -> None:
        self.answer()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def answer(self) -> None:
        parts = urlsplit(self.path)
        path = unquote(parts.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        answer = self.server.answers.get(f"{self.command} {path}")
        if answer is None and not path.startswith("/api/"):
            self.send_file(path)
            return
        self.server.asked.append((self.command, self.path, body))
        if callable(answer):
            answer = answer(body, parts.query)
        if answer is None:
            answer = (404, {"error": "not_found", "message": f"The stand-in has no {self.command} {path}."})
        if answer == SILENCE:
            self.server.released.wait(60)
        if answer in (SILENCE, CUT):
            self.close_connection = True
            return
        status, value, *fields = answer
        if isinstance(value, str):
            self.send(status, value.encode(), "text/html; charset=utf-8", *fields)
        else:
            self.send(status, b"" if value is None else json.dumps(value).encode(), "application/json", *fields)

    def send_file(self, path: str) -> None:
        file = (PUBLIC / path.lstrip("/")).resolve()
        if file.is_dir():
            file = file / "index.html"
        status = 200
        if not file.is_relative_to(PUBLIC) or not file.is_file():
            status, file = 404, PUBLIC / "404.html"
        self.send(status, file.read_bytes(), TYPES[file.suffix])

    def send(self, status: int, body: bytes, kind: str, fields: dict | None = None) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": kind, "Content-Length": str(len(body)), "Content-Security-Policy": self.server.policy,
            "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", **(fields or {}),
        }.items():
            if not (status in (204, 304) and name in ("Content-Type", "Content-Length")):
                self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(body)


def main() -> None:
    import page_states

    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--state", default="filled", choices=sorted(page_states.STATES))
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    with StandIn(options.port) as stand_in:
        stand_in.answers = page_states.answers(options.state)
        print(stand_in.url, flush=True)
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
