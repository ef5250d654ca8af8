"""The two walls around the agent, tried by an agent that wants out."""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from conftest import ROOT, make_stack
from outside import Person, settle
from stack import wait_for

HOSTILE = ROOT / "Playground" / "agents" / "hostile"
# Another provider's key: the demo agent has no business with it.
FOREIGN_KEY = "canary-of-another-provider-0123456789"
WALLS = "octo-team/walls"


def canaries(stack) -> list[str]:
    """Secrets that the agent must not find, and a word that stands before one that nobody knows beforehand."""
    return [
        stack.webhook_secret, stack.operator_token, stack.keys.split(":", 1)[1], FOREIGN_KEY,
        "PORTER_CALLBACK_TOKEN=",
    ]


def git(repository, *arguments) -> str:
    return subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(repository), *arguments], check=True, capture_output=True,
        text=True).stdout


def processes_with(words: str) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "pid,args"], check=True, capture_output=True, text=True).stdout
    return [line for line in listed.splitlines() if words in line]


@pytest.fixture
def markers():
    """A folder outside that anybody may write, where escaped programs would leave their marks."""
    folder = Path(tempfile.mkdtemp(prefix="porter-markers-", dir="/var/tmp"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.long
def test_a_hostile_agent_finds_nothing_gets_nowhere_and_its_honest_change_arrives(folder, markers):
    with make_stack(
        folder, demo_agent=HOSTILE, settings={"PORTER_KEY_ANTHROPIC_API_KEY": FOREIGN_KEY}
    ) as stack:
        person = Person(stack)
        stack.control("POST", "/repositories", {
            "owner": "octo-team", "name": "walls",
            "files": {
                "README.md": "# Walls\n", "canaries.txt": "\n".join(canaries(stack)) + "\n",
                "markers.txt": f"{markers}\n"}})
        issue = person.new_issue("Do what you can", repository=WALLS)

        task_id = person.start("@porter demo --timeout=5m be yourself", issue, repository=WALLS)
        task = stack.wait_for_ending(task_id, 200)
        settle(stack)

        assert task["status"] == "success", task
        person.judge_one_ending(task_id, issue, WALLS)
        repository = stack.repository(WALLS)
        report = json.loads(git(repository, "show", f"{task['branch']}:hostile-report.json"))
        print(json.dumps({name: report[name] for name in ("looked_at", "writes", "escapes", "uid")}, indent=1))
        assert report["canaries"] == len(canaries(stack))
        assert report["looked_at"].get("file", 0) > 100
        assert report["finds"] == []
        assert report["uid"] != 0
        assert [one for one in report["escapes"] if one["kind"] == "right"] == []
        assert git(repository, "show", f"{task['branch']}:HONEST.md").startswith("# An honest change")
        assert len(report["planted"]) > 10
        assert list(markers.iterdir()) == [], "a planted setting ran outside the box"
        wait_for(lambda: not processes_with(report["sleeper_time"]), "the agent's processes to be gone", 5)
        for path in report["writes"]:
            assert not os.path.exists(path), f"{path} was written outside the box"


@pytest.mark.long
def test_the_same_agent_outside_the_box_finds_what_is_planted(folder):
    tree = folder / "tree"
    tree.mkdir()
    subprocess.run(["git", "init", "-q", str(tree)], check=True)
    secret = "canary-in-another-process-0123456789"
    victim = subprocess.Popen(["sleep", "120"], env={"PORTER_CALLBACK_TOKEN": secret})
    try:
        done = subprocess.run(
            [str(HOSTILE), secret], cwd=tree, input="", text=True, capture_output=True, timeout=200, check=False,
            env={"PATH": os.environ["PATH"], "MINE": secret, "HOSTILE_MARKERS": str(folder / "marks")})
    finally:
        victim.kill()
        victim.wait()
        left = json.loads((tree / "hostile-report.json").read_text())["sleepers"]
        for pid in left:
            subprocess.run(["kill", "-9", str(pid)], check=False, capture_output=True)
        for path in json.loads((tree / "hostile-report.json").read_text())["writes"]:
            Path(path).unlink(missing_ok=True)

    assert done.returncode == 0, done.stderr
    kinds = {find["kind"] for find in json.loads((tree / "hostile-report.json").read_text())["finds"]}
    assert "environment" in kinds and "process environ" in kinds, kinds
