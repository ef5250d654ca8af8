#!/usr/bin/python3
"""Measures durable commands beside what people run instead: Debian's webhook, uvicorn with SQLite, and node.

Usage: peers.py PORTER_FCGI [--rounds N] [--seconds S]

All of them take the same signed deliveries behind one nginx, 32 connections, in turns. `webhook` checks the
signature and starts /bin/true; it stores nothing. uvicorn commits a row with synchronous=FULL, node appends and
calls fdatasync, both before they answer. Memory is what is resident after the last turn. The run fails when a
goal is missed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import ingest
from ports import free_port

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
# Porter's rate over a peer's, at least.
GOALS = {"webhook": 1.5, "uvicorn + SQLite": 2.0, "node + fdatasync": 1.0}


def hooks(folder: Path) -> Path:
    path = folder / "hooks.json"
    path.write_text(json.dumps([{
        "id": "github", "execute-command": "/bin/true", "success-http-response-code": 202,
        "trigger-rule-mismatch-http-response-code": 401,
        "trigger-rule": {"match": {
            "type": "payload-hmac-sha256", "secret": ingest.WEBHOOK_SECRET,
            "parameter": {"source": "header", "name": "X-Hub-Signature-256"}}},
    }]))
    return path


def nginx_conf(folder: Path, ports: dict[str, int], back: dict[str, tuple[int, str]]) -> Path:
    """ingest's configuration with servers that pass to the peers' own ports."""
    path = ingest.nginx_conf(folder, {"porter": ports["porter"]})
    servers = "".join(
        f"""
  server {{
    listen 127.0.0.1:{ports[name]};
    location = /api/webhooks/github {{
      proxy_pass http://127.0.0.1:{port}{address};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}"""
        for name, (port, address) in back.items())
    path.write_text(path.read_text().rstrip().removesuffix("}") + servers + "\n}\n")
    return path


def peers(folder: Path, back: dict[str, tuple[int, str]]) -> dict[str, tuple[list[str], dict[str, str]]]:
    environment = os.environ | {
        "PORTER_BENCH_SECRET": ingest.WEBHOOK_SECRET, "PORTER_BENCH_DATABASE": str(folder / "uvicorn.sqlite"),
        "PORTER_BENCH_LOG": str(folder / "node.log"), "PORTER_BENCH_PORT": str(back["node + fdatasync"][0])}
    return {
        "webhook": (
            ["webhook", "-hooks", str(hooks(folder)), "-ip", "127.0.0.1", "-port", str(back["webhook"][0])],
            environment),
        "uvicorn + SQLite": (
            [str(ROOT / ".venv-bench/bin/uvicorn"), "--app-dir", str(HERE / "peers"), "uvicorn_app:app", "--port",
             str(back["uvicorn + SQLite"][0]), "--no-access-log", "--log-level", "warning"], environment),
        "node + fdatasync": (["node", str(HERE / "peers" / "node_server.js")], environment),
    }


def tree_mb(pid: int) -> float:
    """Resident memory of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    below = children.read_text().split() if children.exists() else []
    return ingest.resident_mb(pid) + sum(tree_mb(int(child)) for child in below)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("porter_fcgi", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="porter-peers-"))
    try:
        return measure(arguments, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure(arguments: argparse.Namespace, folder: Path) -> int:
    count = arguments.seconds * arguments.rounds * 20_000
    ingest.write_requests(folder / "command", "@porter codex fix the flaky login test", count)
    back = {name: (free_port(), "/hooks/github" if name == "webhook" else "") for name in GOALS}
    ports = {name: free_port() for name in ["porter", *GOALS]}
    conf = nginx_conf(folder, ports, back)
    rates: dict[str, list[tuple[float, float]]] = {name: [] for name in ports}
    sent = dict.fromkeys(ports, 0)
    with contextlib.ExitStack() as stack:
        # It takes calls and never answers: what is stored waits, and only the way in is measured.
        github = stack.enter_context(contextlib.closing(socket.create_server(("127.0.0.1", 0), backlog=64)))
        processes = {"porter": stack.enter_context(ingest.running(
            [str(arguments.porter_fcgi)], env=ingest.porter_environment(folder, github.getsockname()[1])))}
        for name, (command, environment) in peers(folder, back).items():
            processes[name] = stack.enter_context(ingest.running(
                command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        stack.enter_context(ingest.running(["nginx", "-p", str(folder) + "/", "-c", str(conf)]))
        ingest.wait_for((folder / "porter.sock").exists, "Porter")
        for port in [*ports.values(), *(port for port, _ in back.values())]:
            ingest.wait_for(lambda port=port: socket.socket().connect_ex(("127.0.0.1", port)) == 0, f"port {port}")
        for _ in range(arguments.rounds):
            run = secrets.token_hex(6)
            for name, port in ports.items():
                rate, p99, total = ingest.wrk(port, folder / "command", sent[name], arguments.seconds, run)
                rates[name].append((rate, p99))
                # Each of wrk's two threads takes every second one, and may have got further than the other.
                sent[name] += total * 3 // 2 + 4 * ingest.CONNECTIONS
        memory = {name: tree_mb(process.pid) for name, process in processes.items()}
    return report(rates, memory)


def report(rates: dict[str, list[tuple[float, float]]], memory: dict[str, float]) -> int:
    medians = {name: statistics.median(rate for rate, _ in rows) for name, rows in rates.items()}
    failed = False
    print(f"{'':18} {'req/s min/median/max':24} {'p99 ms':>8} {'memory MB':>10}  Porter is")
    for name, rows in rates.items():
        ordered = sorted(rate for rate, _ in rows)
        verdict = ""
        if name in GOALS:
            ratio = medians["porter"] / medians[name]
            failed = failed or ratio < GOALS[name]
            verdict = f"{ratio:.2f}x, goal >= {GOALS[name]}x {'reached' if ratio >= GOALS[name] else 'MISSED'}"
        spread = f"{ordered[0]:.0f}/{medians[name]:.0f}/{ordered[-1]:.0f}"
        print(f"{name:18} {spread:24} {statistics.median(p for _, p in rows):8.1f} {memory[name]:10.0f}  {verdict}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
