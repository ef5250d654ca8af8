#!/usr/bin/python3
"""Measures how many webhook deliveries Porter takes a second, beside a bare C responder in the same run.

Usage: ingest.py PORTER_FCGI [--rounds N] [--seconds S]

Four configurations take turns behind one nginx, 32 connections, 8 request threads each: the bare C
responder, the same one closing its connections as Porter does (which has no goal), Porter with comments that hold no
command, and Porter with comments that hold one (each with a comment id and a delivery id of its own, durable before
the answer). Many short turns, because a machine's speed
changes from one half minute to the next. Ratios of medians are printed beside
their goals; the run fails when a goal is missed or an answer was not 202. So it does when a started Porter answers its
first request too late.
"""

import argparse
import base64
import contextlib
import hashlib
import hmac
import json
import os
import re
import secrets
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "scripts"))

from ports import free_port  # noqa: E402

WEBHOOK_SECRET = "benchmark-webhook-secret"
BODY_BYTES = 13_993
FIRST_ID = 4_300_000_000
CONNECTIONS = 32
GOALS = {"no command": 0.80, "command, durable": 0.30}
MEMORY_GOAL_MB = 30
LARGE_BODIES = 10
LARGE_BYTES = 26_000_000
LARGE_MEMORY_GOAL_MB = 40
STARTS = 15
START_GOAL_MS = 50


def body_around_id(text: str) -> tuple[str, str]:
    """The JSON of an issue_comment delivery of the usual size, split where the comment's id stands."""
    user = {"login": "hubert", "id": 583231, "type": "User", "url": "https://api.example.org/users/hubert"}
    payload = {
        "action": "created",
        "issue": {"number": 7, "title": "Flaky login test", "body": "It fails on Mondays.", "user": user},
        "comment": {"id": "@@ID@@", "html_url": "https://example.org/c", "body": text, "user": user,
                    "performed_via_github_app": None},
        "repository": {"id": 1296269, "name": "hello", "full_name": "octo-team/hello",
                       "owner": {"login": "octo-team", "id": 9919, "type": "Organization"},
                       "default_branch": "main", "padding": ""},
        "installation": {"id": 31},
        "sender": user,
    }
    short = len(json.dumps(payload, separators=(",", ":"))) - len('"@@ID@@"') + len(str(FIRST_ID))
    urls = ""
    while short + len(urls) < BODY_BYTES:
        urls += "https://api.example.org/repos/octo-team/hello/issues/7/events "
    payload["repository"]["padding"] = urls[: BODY_BYTES - short]
    head, tail = json.dumps(payload, separators=(",", ":")).split('"@@ID@@"')
    return head, tail


def write_requests(folder: Path, text: str, count: int) -> None:
    folder.mkdir()
    head, tail = body_around_id(text)
    (folder / "head").write_text(head)
    (folder / "tail").write_text(tail)
    key = hmac.new(WEBHOOK_SECRET.encode(), digestmod=hashlib.sha256)
    with open(folder / "signatures", "w", encoding="ascii") as file:
        for number in range(count):
            code = key.copy()
            code.update(f"{head}{FIRST_ID + number}{tail}".encode())
            file.write(code.hexdigest() + "\n")


@contextlib.contextmanager
def running(command: list[str], **options):
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(condition, what: str, seconds: float = 15, every: float = 0.05) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"ingest: {what} did not come up within {seconds} s")
        time.sleep(every)


def nginx_conf(folder: Path, ports: dict[str, int]) -> Path:
    servers = "".join(
        f"""
  server {{
    listen 127.0.0.1:{port};
    location / {{
      fastcgi_pass unix:{folder}/{name}.sock;
      fastcgi_param REQUEST_METHOD $request_method;
      fastcgi_param REQUEST_URI $request_uri;
      fastcgi_param CONTENT_TYPE $content_type;
      fastcgi_param CONTENT_LENGTH $content_length;
      fastcgi_param REMOTE_ADDR $remote_addr;
    }}
  }}"""
        for name, port in ports.items()
    )
    user = "user root;" if os.getuid() == 0 else ""
    path = folder / "nginx.conf"
    path.write_text(
        f"""{user}
daemon off; worker_processes 2; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 512; }}
http {{
  access_log off; client_max_body_size 26214400; client_body_buffer_size 64k;
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;{servers}
}}
"""
    )
    return path


def porter_environment(folder: Path, slow_github: int) -> dict[str, str]:
    key = folder / "app.pem"
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    return {
        "PATH": os.environ["PATH"],
        "PORTER_PUBLIC_URL": "http://127.0.0.1:1",
        "PORTER_SECRET_KEYS": "k1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "PORTER_GITHUB_APP_ID": "1",
        "PORTER_GITHUB_APP_PRIVATE_KEY_FILE": str(key),
        "PORTER_GITHUB_CLIENT_ID": "benchmark",
        "PORTER_GITHUB_CLIENT_SECRET": "benchmark-client-secret",
        "PORTER_GITHUB_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "PORTER_GITHUB_API_URL": f"http://127.0.0.1:{slow_github}",
        "PORTER_DATABASE": str(folder / "porter.sqlite"),
        "PORTER_FCGI_SOCKET": str(folder / "porter.sock"),
        "PORTER_RUNNER_SOCKET": str(folder / "no-runner.sock"),
        "PORTER_LOG_LEVEL": "error",
    }


def wrk(port: int, requests: Path, offset: int, seconds: int, run: str) -> tuple[float, float, int]:
    """Requests a second, p99 in ms, answers in all."""
    environment = os.environ | {
        "PORTER_BENCH_REQUESTS": str(requests),
        "PORTER_BENCH_OFFSET": str(offset),
        "PORTER_BENCH_FIRST_ID": str(FIRST_ID),
        "PORTER_BENCH_RUN": run,
    }
    result = subprocess.run(
        ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(HERE / "requests.lua"),
         f"http://127.0.0.1:{port}"],
        env=environment, capture_output=True, text=True, check=False)
    text = result.stdout + result.stderr
    if result.returncode != 0 or "Non-2xx" in text or "Socket errors" in text:
        sys.exit(f"ingest: not every delivery was answered 2xx:\n{text}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()
    total = int(re.search(r"(\d+) requests in", text).group(1))
    return rate, float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit], total


def send_large(port: int, number: int) -> None:
    """A comment with a command, in a body of nearly the most that is taken."""
    head, tail = body_around_id("@porter codex fix the flaky login test")
    padding = "x" * (LARGE_BYTES - len(head) - len(tail))
    body = f'{{"padding":"{padding}",{head[1:]}{FIRST_ID - 1 - number}{tail}'.encode()
    signature = hmac.new(WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
    fields = {
        "Content-Type": "application/json", "X-GitHub-Event": "issue_comment",
        "X-GitHub-Delivery": f"large-{number}", "X-Hub-Signature-256": f"sha256={signature}",
    }
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/webhooks/github", body, fields)
    with urllib.request.urlopen(request, timeout=30) as answer:
        if answer.status != 202:
            sys.exit(f"ingest: a large delivery was answered {answer.status}")


def resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def first_answer_ms(program: Path, environment: dict[str, str], port: int) -> float:
    """From the start of the program to its first answer; the median of several starts over one database."""
    took = []
    for _ in range(STARTS):
        began = time.monotonic()
        with running([str(program)], env=environment):
            wait_for(lambda: answers(port), "the first answer", every=0.001)
            took.append((time.monotonic() - began) * 1000)
    return statistics.median(took)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return answer.status == 200
    except urllib.error.HTTPError:
        return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("porter_fcgi", type=Path)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--seconds", type=int, default=2)
    arguments = parser.parse_args()

    folder = Path(tempfile.mkdtemp(prefix="porter-ingest-"))
    try:
        return measure(arguments, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(arguments: argparse.Namespace, folder: Path) -> int:
    subprocess.run(["cc", "-O2", "-o", str(folder / "bare"), str(HERE / "bare.c"), "-lfcgi", "-lpthread"], check=True)
    # More than the fastest configuration can take in one turn.
    count = arguments.seconds * 80_000
    write_requests(folder / "plain", "I looked at it yesterday and it still fails.", count)
    commands = arguments.seconds * arguments.rounds * 20_000
    write_requests(folder / "command", "@porter codex fix the flaky login test", commands)
    ports = {"bare": free_port(), "detaching": free_port(), "porter": free_port()}
    conf = nginx_conf(folder, ports)
    results: dict[str, list[tuple[float, float]]] = {
        "bare C": [], "bare C, detaching": [], "no command": [], "command, durable": []}
    sent = 0
    with contextlib.ExitStack() as stack:
        # It takes calls and never answers: what is stored waits, and only the way in is measured.
        github = stack.enter_context(contextlib.closing(socket.create_server(("127.0.0.1", 0), backlog=64)))
        stack.enter_context(running([str(folder / "bare"), str(folder / "bare.sock")]))
        stack.enter_context(running([str(folder / "bare"), str(folder / "detaching.sock"), "detach"]))
        stack.enter_context(running(["nginx", "-p", str(folder) + "/", "-c", str(conf)]))
        environment = porter_environment(folder, github.getsockname()[1])
        wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", ports["porter"])) == 0, "nginx")
        started = first_answer_ms(arguments.porter_fcgi, environment, ports["porter"])
        porter = stack.enter_context(running([str(arguments.porter_fcgi)], env=environment))
        bare = [folder / "bare.sock", folder / "detaching.sock"]
        wait_for(lambda: all(path.exists() for path in bare) and answers(ports["porter"]), "a responder")
        for number in range(arguments.rounds):
            run = secrets.token_hex(6)
            rate, p99, _ = wrk(ports["bare"], folder / "plain", 0, arguments.seconds, run)
            results["bare C"].append((rate, p99))
            rate, p99, _ = wrk(ports["detaching"], folder / "plain", 0, arguments.seconds, run)
            results["bare C, detaching"].append((rate, p99))
            rate, p99, _ = wrk(ports["porter"], folder / "plain", 0, arguments.seconds, run)
            results["no command"].append((rate, p99))
            rate, p99, total = wrk(ports["porter"], folder / "command", sent, arguments.seconds, run)
            results["command, durable"].append((rate, p99))
            # Each of the two threads may have got a little further than the other.
            sent += total * 3 // 2 + 4 * CONNECTIONS
        memory = resident_mb(porter.pid)
        for number in range(LARGE_BODIES):
            send_large(ports["porter"], number)
        time.sleep(1)
        large_memory = resident_mb(porter.pid)
    stored = sqlite3.connect(folder / "porter.sqlite").execute("SELECT count(*) FROM tasks").fetchone()[0]
    return report(results, {
        "resident memory after the run": (memory, MEMORY_GOAL_MB, "MB"),
        f"and after {LARGE_BODIES} bodies of {LARGE_BYTES // 1_000_000} MB": (large_memory, LARGE_MEMORY_GOAL_MB, "MB"),
        "first answer after a start": (started, START_GOAL_MS, "ms"),
    }, stored)


def report(
    results: dict[str, list[tuple[float, float]]], others: dict[str, tuple[float, float, str]], stored: int
) -> int:
    base = statistics.median(rate for rate, _ in results["bare C"])
    failed = False
    print(f"{'configuration':18} {'req/s min/median/max':28} {'p99 ms':>8}  of bare C   goal")
    for name, rows in results.items():
        rates = sorted(rate for rate, _ in rows)
        median = statistics.median(rates)
        ratio = median / base
        goal = GOALS.get(name)
        verdict = "" if goal is None else f">= {goal:.0%} {'reached' if ratio >= goal else 'MISSED'}"
        failed = failed or (goal is not None and ratio < goal)
        spread = f"{rates[0]:.0f}/{median:.0f}/{rates[-1]:.0f}"
        p99 = statistics.median(value for _, value in rows)
        print(f"{name:18} {spread:28} {p99:8.1f}  {ratio:8.0%}   {verdict}")
    for what, (value, goal, unit) in others.items():
        failed = failed or value > goal
        print(f"{what}: {value:.0f} {unit}, goal <= {goal} {unit} {'reached' if value <= goal else 'MISSED'}")
    print(f"tasks stored: {stored}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
