"""An engine whose machines run nothing: it hands each one's token to whoever plays its worker."""

from __future__ import annotations

import json
import queue
import socketserver
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import urlsplit


class Engine:
    """Speaks the part of the Machines API that Porter uses, on a unix socket; a context manager."""

    def __init__(self, path: Path):
        self.created: queue.Queue[dict[str, str]] = queue.Queue()
        """The environment of each new machine."""
        self.machines: dict[str, dict] = {}
        self._lock = threading.Lock()
        engine = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def address_string(self):
                return "unix"

            def log_message(self, *_):
                pass

            def do_POST(self):
                self._answer(*engine.create(json.loads(self.rfile.read(int(self.headers["Content-Length"])))))

            def do_GET(self):
                self._answer(*engine.show(urlsplit(self.path).path))

            def do_DELETE(self):
                self._answer(*engine.destroy(urlsplit(self.path).path))

            def _answer(self, status: int, body):
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True
            request_queue_size = 128

        self._server = Server(str(path), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Engine:
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.server_close()

    def create(self, request: dict):
        with self._lock:
            for machine in self.machines.values():
                if machine["name"] == request["name"] and machine["state"] != "destroyed":
                    words = f'machine ID {machine["id"]} already exists with name "{machine["name"]}"'
                    return 409, {"error": f"already_exists: unique machine name violation, {words}"}
            machine = {
                "id": f"{len(self.machines):014x}", "name": request["name"], "state": "started", "region": "local",
                "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "events": [],
                "config": {"metadata": request["config"]["metadata"]},
            }
            self.machines[machine["id"]] = machine
        self.created.put(request["config"]["env"])
        return 200, machine

    def show(self, path: str):
        with self._lock:
            name = path.rpartition("/")[2]
            if name == "machines":
                return 200, [one for one in self.machines.values() if one["state"] != "destroyed"]
            if name not in self.machines:
                return 404, {"error": "machine not found"}
            return 200, self.machines[name]

    def destroy(self, path: str):
        with self._lock:
            machine = self.machines.get(path.rpartition("/")[2])
            if not machine:
                return 404, {"error": "machine not found"}
            machine["state"] = "destroyed"
            return 200, {"ok": True}
