"""The named steps of Porter's outward effects, as the sources name them, and how a program is killed at one."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from stack import ROOT

WORK = ROOT / "Sources" / "Lib" / "Work"
# The key of an effect, whose last part names it.
KEY = r'"(?:comment:)?\\\([A-Za-z.]+\)/([a-z_]+(?:\.[a-z_]+)*)(/\\\([a-z.]+\))?"'
# What people do on the pages has tests of its own.
OF_PAGES = ("setup.", "renewal.")
SHIM = ROOT / "Tests" / "Chaos" / "kill-at-step.c"


def all_steps() -> list[str]:
    """Every step of a run, the first attempt's where attempts are numbered; `Tests/World/Moments.swift` looks the same way."""
    texts = [path.read_text() for path in sorted(WORK.rglob("*.swift"))]
    named = {name for text in texts for name in re.findall(r'moment\("([a-z_.]+)"\)', text)}
    endings = {name for text in texts for name in re.findall(r'moment\("\\\(name\)(\.[a-z]+)"\)', text)}
    assert len(endings) == 4, endings
    effects = {
        name + (".1" if number else "")
        for text in texts for name, number in re.findall(KEY, text)
    }
    found = named | {effect + ending for effect in effects for ending in endings}
    return sorted(name for name in found if not name.startswith(OF_PAGES))


def build_shim(folder: Path) -> Path:
    """Compiles the shim that kills a program at a step it says in its log."""
    built = folder / "kill-at-step.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(built), str(SHIM)], check=True)
    return built


def armed(shim: Path, step: str) -> dict[str, str]:
    """The environment in which a program dies at the step."""
    return {"LD_PRELOAD": str(shim), "PORTER_KILL_STEP": step, "PORTER_LOG_LEVEL": "debug"}
