"""Every call with an effect fails on the wire in every way, over real sockets: each effect happens once."""

import fnmatch
import os
import signal

import pytest
from conftest import make_stack
from outside import HELLO, Person, settle, worker_processes
from stack import wait_for

# Each call with an effect, by method and path; the machines' are Fly's.
GITHUB_EFFECTS = {
    "token": ("POST", "/app/installations/*/access_tokens"),
    "reaction": ("POST", "/repos/*/issues/comments/*/reactions"),
    "comment": ("POST", "/repos/*/issues/*/comments"),
    "edit": ("PATCH", "/repos/*/issues/comments/*"),
    "pull request": ("POST", "/repos/*/pulls"),
    "review": ("POST", "/repos/*/pulls/*/requested_reviewers"),
    "revocation": ("DELETE", "/installation/token"),
}
MACHINE_EFFECTS = {
    "create": ("POST", "/v1/apps/*/machines"),
    "destroy": ("DELETE", "/v1/apps/*/machines/*"),
}
GITHUB_FAULTS = {
    "half-open": {"kind": "half_open", "seconds": 25},
    "refused": {"kind": "refuse"},
    "timeout before the effect": {"kind": "lost_before", "seconds": 1},
    "timeout after the effect": {"kind": "lost_after", "seconds": 1},
    "500": {"kind": "status", "status": 500},
    "502 with HTML": {"kind": "html"},
    "403 secondary limit": {"kind": "secondary_limit", "seconds": 2},
    "429 with Retry-After": {"kind": "retry_after", "seconds": 2},
    "truncated JSON": {"kind": "truncated"},
}
MACHINE_FAULTS = {
    "half-open": {"kind": "half_open", "seconds": 25},
    "timeout before the effect": {"kind": "lost_before", "seconds": 1},
    "timeout after the effect": {"kind": "lost_after", "seconds": 1},
    "500": {"kind": "status", "status": 500, "body": {"error": "internal"}},
    "502 with HTML": {"kind": "html"},
    "429 with Retry-After": {
        "kind": "status", "status": 429, "body": {"error": "rate limited"}, "headers": {"Retry-After": "2"}},
    "truncated JSON": {"kind": "truncated"},
}

@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with make_stack(
        tmp_path_factory.mktemp("faults"), fly=True,
        settings={"PORTER_TASKS_PER_USER": "20", "PORTER_TASKS_TOTAL": "10"},
    ) as stack:
        yield stack


def run(person, issue, stop=False):
    """A run that makes every effect; one that is stopped makes its machine be destroyed."""
    script = "write s.txt s\ndo: sleep 60" if stop else f"write f{issue}.txt f"
    return person.start(f"@porter demo\ndo: {script}", issue)


def judge(person, task_id, issue):
    """Each effect of the run happened once, and the issue shows it."""
    person.stack.wait_for_ending(task_id, 300)
    settle(person.stack, 120)
    task = person.judge_one_ending(task_id, issue)
    made = [one for one in person.effects("comment.created", repository=HELLO) if f"porter:{task_id}:" in one["body"]]
    assert sorted(one["body"].rsplit(":", 1)[-1] for one in made) == ["ending -->", "status -->"]
    return task


@pytest.mark.long
@pytest.mark.parametrize("fault", GITHUB_FAULTS)
def test_each_effect_on_github_happens_once_though_its_call_fails(stack, fault):
    person = Person(stack)
    issue = person.new_issue(f"GitHub: {fault}")
    seen = len(person.effects("fault"))
    for method, path in GITHUB_EFFECTS.values():
        stack.control("POST", "/faults", GITHUB_FAULTS[fault] | {"method": method, "path": path})

    task_id = run(person, issue)
    task = judge(person, task_id, issue)

    assert task["status"] == "success", task
    assert len(person.effects("pull.created", head=task["branch"])) == 1
    met = person.effects("fault")[seen:]
    unmet = [
        name for name, (method, path) in GITHUB_EFFECTS.items()
        if not any(one["method"] == method and fnmatch.fnmatchcase(one["path"], path) for one in met)]
    # A call that was never made proves nothing.
    assert unmet == []
    assert stack.control("GET", "/faults")["faults"] == []


@pytest.mark.long
@pytest.mark.parametrize("fault", MACHINE_FAULTS)
def test_each_machine_is_made_and_destroyed_once_though_the_call_fails(stack, fault):
    person = Person(stack)
    issue = person.new_issue(f"Machines: {fault}")
    plan = MACHINE_FAULTS[fault]
    for method, path in MACHINE_EFFECTS.values():
        stack.control("POST", "/faults", plan | {"method": method, "path": path}, face="fly")

    task_id = run(person, issue, stop=True)
    stack.wait_for_task(
        task_id, lambda task: task["progress"]["phase"] == "agent" or task["finished_at"], "the agent", 120)
    # Nobody is left who could stop by himself.
    freeze(person)
    person.ask("@porter stop", issue)
    task = judge(person, task_id, issue)

    assert (task["status"], task["attempt"]) == ("cancelled", 1), task
    assert len(person.machines(task_id)) == 1
    assert stack.control("GET", "/faults", face="fly")["faults"] == []


def freeze(person):
    """Stops the worker's process where it is, so that only its machine's end ends it."""
    for pid in wait_for(lambda: worker_processes(person.stack), "the worker's process"):
        os.kill(pid, signal.SIGSTOP)
