"""`make run` as a person uses it: addresses, a page that works, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time

from conftest import ROOT
from stack import wait_for


def test_run_prints_its_addresses_and_ends_with_nothing_left():
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "scripts" / "run")], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True)
    try:
        first, second = process.stdout.readline(), process.stdout.readline()
        addresses = (ROOT / "build" / "run" / "addresses").read_text()
        children = children_of(process.pid)
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        code = process.wait(60)
    finally:
        if process.poll() is None:
            process.kill()

    assert first.startswith("Porter: http://127.0.0.1:") and second.startswith("Playground: http://127.0.0.1:")
    assert addresses == first + second
    assert code == 0, process.stderr.read()
    print(f"ended after {time.monotonic() - begun:.1f} s")
    assert len(children) >= 4
    wait_for(lambda: not [pid for pid in children if os.path.exists(f"/proc/{pid}")], "all parts to be gone", 5)


def children_of(pid: int) -> list[int]:
    """All descendants, at any depth."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8") as file:
                    parents[int(entry)] = int(file.read().rsplit(") ", 1)[1].split(" ")[1])
            except OSError:
                continue
    found, wave = [], [pid]
    while wave:
        wave = [child for child, parent in parents.items() if parent in wave]
        found += wave
    return found
