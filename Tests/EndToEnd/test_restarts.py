"""200 restarts of porter-fcgi under load, over one inherited socket: nobody who asked whole is left without."""

import hashlib
import hmac
import http.client
import json
import os
import signal
import socket
import threading
import time
import uuid

import pytest
from conftest import make_stack
from stack import wait_for

RESTARTS = 200
CLIENTS = 6
# From SIGTERM to the end of the process at most.
LONGEST_EXIT = 2.0


@pytest.mark.long
def test_200_restarts_under_load_fail_no_request(folder):
    with make_stack(folder, watchdog_every=None) as stack:
        body = json.dumps({"action": "opened", "padding": "x" * 4000}).encode()
        signature = "sha256=" + hmac.new(stack.webhook_secret.encode(), body, hashlib.sha256).hexdigest()
        over = threading.Event()
        answers: list[int | str] = []
        lock = threading.Lock()

        def client():
            mine = []
            while not over.is_set():
                connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=30)
                try:
                    connection.request("POST", "/api/webhooks/github", body, {
                        "Content-Type": "application/json", "X-GitHub-Event": "issues",
                        "X-GitHub-Delivery": str(uuid.uuid4()), "X-Hub-Signature-256": signature})
                    mine.append(connection.getresponse().status)
                except OSError as error:
                    mine.append(repr(error))
                finally:
                    connection.close()
            with lock:
                answers.extend(mine)

        threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        exits = []
        for _ in range(RESTARTS):
            part = stack.parts["porter-fcgi"]
            begun = time.monotonic()
            part.process.send_signal(signal.SIGTERM)
            code = part.process.wait(20)
            exits.append((code, time.monotonic() - begun))
            stack.start_fcgi()
        over.set()
        for thread in threads:
            thread.join()

        print(f"{len(answers)} requests, slowest exit {max(span for _, span in exits):.2f} s")
        assert {code for code, _ in exits} == {0}
        assert max(span for _, span in exits) < LONGEST_EXIT
        assert len(answers) > RESTARTS
        assert [answer for answer in answers if answer != 202] == []


def accepted_connections(pid: int, path: str) -> int:
    """How many connections to the listening socket at `path` the process has accepted.

    The kernel lists a connection that nobody accepted yet without an inode, so that only the process's own match.
    """
    with open("/proc/net/unix", encoding="utf-8") as table:
        rows = [line.split() for line in table]
    connected = {f"socket:[{row[6]}]" for row in rows if row[-1] == path and row[5] == "03"}
    count = 0
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            count += os.readlink(f"/proc/{pid}/fd/{name}") in connected
        except OSError:
            continue
    return count


def test_half_sent_requests_never_delay_the_exit(folder):
    with make_stack(folder, watchdog_every=None) as stack:
        half = []
        pid = stack.parts["porter-fcgi"].process.pid
        try:
            for _ in range(8):
                connection = socket.socket(socket.AF_UNIX)
                connection.connect(str(stack.fcgi_socket))
                # BEGIN_REQUEST, then the beginning of PARAMS, and no more.
                connection.sendall(bytes([1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]))
                connection.sendall(bytes([1, 4, 0, 1, 1, 0, 0, 0]) + b"\x0e\x03REQ")
                half.append(connection)
            wait_for(
                lambda: accepted_connections(pid, str(stack.fcgi_socket)) >= len(half),
                "all of them to be accepted", 60)
            begun = time.monotonic()
            code = stack.end("porter-fcgi")
            span = time.monotonic() - begun
        finally:
            for connection in half:
                connection.close()

        print(f"exit after {span:.2f} s")
        assert code == 0
        assert span < LONGEST_EXIT + 0.5
