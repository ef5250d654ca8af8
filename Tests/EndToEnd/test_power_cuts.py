"""A power cut takes nothing that was acknowledged; the long form is `scripts/power-cuts --cuts 10000`."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CUTS = 300


def power_cuts(folder, *arguments) -> tuple[int, str]:
    done = subprocess.run(
        [ROOT / "scripts" / "power-cuts", "--folder", folder, *arguments], env=os.environ, capture_output=True,
        text=True, timeout=300, check=False)
    print(done.stdout, done.stderr)
    return done.returncode, done.stdout


def test_no_cut_takes_what_was_acknowledged_or_leaves_a_broken_database(folder):
    code, said = power_cuts(folder / "full", "--cuts", str(CUTS), "--seconds", "6")
    assert code == 0, said
    assert f"{CUTS} cuts in" in said and " 0 lost something, 0 left" in said
    # The recording held what the promise speaks of.
    for kind in ("claim", "complete", "delivery", "progress", "setting"):
        assert re.search(rf"\b[1-9]\d* {kind}", said), said


def test_with_normal_instead_of_full_cuts_do_take_what_was_acknowledged(folder):
    code, said = power_cuts(folder / "normal", "--cuts", "60", "--seconds", "3", "--synchronous", "NORMAL")
    assert code == 0, said
    lost = int(re.search(r"(\d+) lost something", said).group(1))
    assert lost > 0
