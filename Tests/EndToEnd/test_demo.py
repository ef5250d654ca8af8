"""The demo judges itself from what it left behind, and notices a broken part."""

import os
import subprocess
import sys

import pytest
from conftest import ROOT


def demo(folder, *arguments):
    return subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "demo"), "--folder", str(folder), *arguments],
        capture_output=True, text=True, timeout=400, check=False)


def test_the_demo_runs_the_real_codex(folder):
    if os.environ.get("PORTER_TEST_WITHOUT_CLIS") == "1":
        pytest.skip("PORTER_TEST_WITHOUT_CLIS=1: the real codex was not run")
    done = demo(folder)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "codex-cli" in done.stdout


def test_the_quick_demo_leaves_repository_database_and_effect_log(folder):
    done = demo(folder, "--agent", "demo")

    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "porter.sqlite").exists()
    assert (folder / "github" / "effects.jsonl").exists()
    assert (folder / "github" / "repositories" / "octo-team" / "hello.git").is_dir()


@pytest.mark.parametrize(
    ("sabotage", "part"),
    [("worker", "porter-worker"), ("runner", "porter-runner"), ("webhook-secret", "webhook secret")])
def test_a_broken_part_is_noticed_and_named(folder, sabotage, part):
    done = demo(folder, "--agent", "demo", "--sabotage", sabotage)

    assert done.returncode == 1, done.stdout + done.stderr
    verdict = done.stdout.split("The part to look at: ")[1]
    assert part in verdict.split(". Logs")[0]
