#!/usr/bin/python3
"""Measures the list of tasks through nginx at 100,000 tasks: whole requests, by what is asked for.

Usage: lists.py PROGRAMS [--tasks N] [--requests N]

PROGRAMS is the folder of porter-fcgi and porter-watchdog. Four clients ask at once. The run fails when the 95th
percentile of any kind of list is over 50 ms.
"""

import argparse
import contextlib
import http.client
import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "Benchmarks"), str(ROOT / "scripts")]

import history  # noqa: E402
import nginx_conf  # noqa: E402
from ports import free_port  # noqa: E402

GOAL_MS = 50
CLIENTS = 4
LISTS = {
    "newest": "limit=50", "100 a page": "limit=100", "history": "/history?limit=50",
    "one state": "status=failed&limit=50", "one repository": "repo=octo-team/hello-7&limit=50",
    "one person": "created_by=person-7&limit=50", "one agent": "agent=codex&limit=50",
    "one issue": "repo=octo-team/hello-7&issue=7&limit=50", "a word": "search=flaky&limit=50",
    "a word that is nowhere": "search=zebra&limit=50", "a repository that is nowhere": "repo=octo-team/none&limit=50",
    "a month": "from=@FROM@&to=@TO@&limit=50", "deep": "limit=50&cursor=@CURSOR@",
}


def ask(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path, headers={"Authorization": "Bearer benchmark-operator"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        sys.exit(f"lists: {path} was answered {answer.status}: {body[:200]!r}")
    return body


def measure(port: int, path: str, requests: int) -> list[float]:
    times: list[float] = []
    lock = threading.Lock()

    def run():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        mine = []
        for _ in range(requests // CLIENTS):
            begun = time.perf_counter()
            ask(connection, path)
            mine.append((time.perf_counter() - begun) * 1000)
        connection.close()
        with lock:
            times.extend(mine)

    threads = [threading.Thread(target=run) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


@contextlib.contextmanager
def running(command, **options):
    process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", type=Path)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=200)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="porter-lists-"))
    try:
        return run(arguments, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(arguments: argparse.Namespace, folder: Path) -> int:
    database = history.fill(arguments.programs / "porter-watchdog", folder, arguments.tasks)
    port = free_port()
    prefix = folder / "nginx"
    prefix.mkdir()
    (prefix / "nginx.conf").write_text(nginx_conf.render(prefix, folder / "fcgi.sock", port))
    now = time.time()
    moments = {
        "@FROM@": now - 60 * 86_400, "@TO@": now - 30 * 86_400}
    values = {name: time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at)) for name, at in moments.items()}
    values["@CURSOR@"] = history.task_id(int((now - 79 * 86_400) * 1000), 0)
    command = ["nginx", "-p", f"{prefix}/", "-e", prefix / "error.log", "-c", prefix / "nginx.conf", "-g", "daemon off;"]
    failed = False
    with running([arguments.programs / "porter-fcgi"], env=history.environment(folder, database)), running(command):
        deadline = time.monotonic() + 20
        while not (folder / "fcgi.sock").exists() or socket.socket().connect_ex(("127.0.0.1", port)) != 0:
            if time.monotonic() > deadline:
                sys.exit("lists: Porter did not come up within 20 s")
            time.sleep(0.05)
        print(f"{arguments.tasks:,} tasks, {arguments.requests} requests of each kind, {CLIENTS} at once")
        print(f"{'list':30} {'p50 ms':>8} {'p95 ms':>8} {'max ms':>8}  rows")
        for name, query in LISTS.items():
            for placeholder, value in values.items():
                query = query.replace(placeholder, value)
            path = f"/api/tasks{query}" if query.startswith("/") else f"/api/tasks?{query}"
            rows = len(json.loads(ask(http.client.HTTPConnection("127.0.0.1", port, timeout=60), path))["tasks"])
            times = sorted(measure(port, path, arguments.requests))
            p95 = times[int(len(times) * 0.95) - 1]
            failed = failed or p95 > GOAL_MS
            print(f"{name:30} {statistics.median(times):8.1f} {p95:8.1f} {times[-1]:8.1f}  {rows}"
                  + ("" if p95 <= GOAL_MS else f"   over {GOAL_MS} ms: MISSED"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
