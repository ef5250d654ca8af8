#!/usr/bin/python3
"""Measures a pass of the watchdog beside a long history: with 1,000 finished tasks, and with 1,000,000.

Usage: pass.py PORTER_WATCHDOG [--rounds N] [--many N] [--folder F]

Passes over both databases take turns; GitHub and the engine are out of reach, so that only Porter's own work is
measured. The run fails when the median of the second is more than twice that of the first.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import history  # noqa: E402

FEW, MANY = 1000, 1_000_000
GOAL = 2.0


def one_pass(watchdog: Path, folder: Path, database: Path) -> float:
    begun = time.perf_counter()
    done = subprocess.run(
        [str(watchdog)], env=history.environment(folder, database), check=False, capture_output=True, text=True)
    # 1: a job was given up; nothing else may go wrong.
    if done.returncode not in (0, 1):
        sys.exit(f"pass: porter-watchdog ended with {done.returncode}: {done.stderr}")
    return (time.perf_counter() - begun) * 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("porter_watchdog", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--many", type=int, default=MANY)
    parser.add_argument("--folder", type=Path, help="where databases are made; kept if named")
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="porter-pass-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        times: dict[int, list[float]] = {FEW: [], arguments.many: []}
        databases = {}
        for count in times:
            database = folder / f"{count}.sqlite"
            databases[count] = database if database.exists() else history.fill(
                arguments.porter_watchdog, folder, count)
            one_pass(arguments.porter_watchdog, folder, databases[count])
        for _ in range(arguments.rounds):
            for count, found in times.items():
                found.append(one_pass(arguments.porter_watchdog, folder, databases[count]))
    finally:
        if not arguments.folder:
            shutil.rmtree(folder, ignore_errors=True)
    for count, found in times.items():
        ordered = sorted(found)
        print(f"{count:>9,} finished tasks: {ordered[0]:.0f}/{statistics.median(found):.0f}/{ordered[-1]:.0f} ms "
              "min/median/max")
    ratio = statistics.median(times[arguments.many]) / statistics.median(times[FEW])
    print(f"ratio of medians {ratio:.2f}, goal <= {GOAL} {'reached' if ratio <= GOAL else 'MISSED'}")
    return 0 if ratio <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
