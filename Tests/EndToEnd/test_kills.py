"""kill -9 of each program at the worst moments: after a restart and two passes there is one true ending."""

import json
import os
import signal

import pytest
from conftest import make_stack
from outside import Person, machine_processes, settle, worker_processes
from stack import wait_for


def agent_runs(stack, task_id):
    return stack.wait_for_task(
        task_id, lambda task: task["progress"]["phase"] == "agent"
        and "still at it" in stack.get(f"/api/tasks/{task_id}/log")[1]["text"], "the agent to run")


def test_the_responder_killed_after_the_202_and_before_the_launch_loses_nothing(folder):
    # Without a runner the launch waits, so that the kill falls before it for certain.
    with make_stack(folder, without={"porter-runner"}, watchdog_every=None) as stack:
        person = Person(stack)
        task_id = person.start("@porter demo\ndo: write kept.txt kept", 1)

        stack.kill("porter-fcgi")
        stack.start_runner()
        stack.start_fcgi()
        passes = [stack.watchdog(), stack.watchdog()]

        stack.wait_for_ending(task_id, 90)
        settle(stack)
        task = person.judge_one_ending(task_id, 1)
        assert task["status"] == "success", (task, passes)


@pytest.mark.long
def test_the_watchdog_alone_finishes_what_a_dead_responder_left(folder):
    with make_stack(folder, watchdog_every=None) as stack:
        person = Person(stack)
        # The pull request's first call hangs: the responder dies in it, with the report stored and nothing ended.
        stack.control("POST", "/faults", {
            "kind": "lost_before", "method": "POST", "path": "/repos/*/pulls", "seconds": 30})
        task_id = person.start("@porter demo\ndo: write w.txt w", 1)
        wait_for(lambda: person.effects("fault"), "the call that hangs", 60)
        stack.kill("porter-fcgi")
        row, = stack.rows("SELECT state, phase FROM tasks WHERE id = ?", task_id)
        assert (row["state"], row["phase"]) == ("running", "publishing")

        def is_published():
            assert stack.watchdog() == 0
            return stack.rows("SELECT 1 FROM tasks WHERE id = ? AND published_at IS NOT NULL", task_id)

        wait_for(is_published, "the ending by the watchdog", 90, every=1.0)
        assert "porter-fcgi" not in stack.parts
        stack.start_fcgi()
        settle(stack)
        task = person.judge_one_ending(task_id, 1)
        assert (task["status"], task["attempt"]) == ("success", 1)
        assert len(person.effects("git.push")) == 1


def test_a_killed_worker_ends_as_machine_lost_and_the_issue_says_that_nothing_was_saved(folder):
    with make_stack(folder) as stack:
        person = Person(stack)
        task_id = person.start("@porter demo\ndo: write lost.txt lost\ndo: sleep 120", 1)
        agent_runs(stack, task_id)

        for pid in wait_for(lambda: worker_processes(stack), "the worker's process"):
            os.kill(pid, signal.SIGKILL)
        stack.wait_for_ending(task_id, 60)
        settle(stack)

        task = person.judge_one_ending(task_id, 1)
        assert (task["status"], task["reason"], task["attempt"]) == ("failed", "machine_lost", 1)
        assert "nothing was saved" in person.marked(1, f"{task_id}:ending")[0]["body"]
        assert machine_processes(stack) == []


def test_a_killed_runner_takes_its_machines_along_and_the_issue_says_so(folder):
    with make_stack(folder) as stack:
        person = Person(stack)
        task_id = person.start("@porter demo\ndo: write lost.txt lost\ndo: sleep 120", 1)
        agent_runs(stack, task_id)

        stack.kill("porter-runner")
        wait_for(lambda: not machine_processes(stack), "the machines to die with their runner", 5)
        stack.start_runner()
        stack.watchdog()
        stack.watchdog()

        stack.wait_for_ending(task_id, 60)
        settle(stack)
        task = person.judge_one_ending(task_id, 1)
        assert (task["status"], task["reason"]) == ("failed", "machine_lost")


def test_a_worker_killed_before_its_agent_started_is_replaced(folder):
    with make_stack(folder) as stack:
        person = Person(stack)
        # The first clone hangs, so that the first worker dies before its agent for certain.
        stack.control("POST", "/faults", {"kind": "slow", "path": "*/git-upload-pack", "seconds": 60})
        task_id = person.start("@porter demo\ndo: write second.txt 2", 1)
        wait_for(lambda: person.effects("fault"), "the clone that hangs", 60)
        for pid in wait_for(lambda: worker_processes(stack), "the first worker", 30):
            os.kill(pid, signal.SIGKILL)
        stack.wait_for_ending(task_id, 90)
        settle(stack)

        task = person.judge_one_ending(task_id, 1)
        assert (task["status"], task["attempt"]) == ("success", 2)
        assert len(person.machines(task_id)) == 2


@pytest.mark.parametrize("moment", ["queued", "starting", "clone", "agent", "publishing"])
def test_a_responder_killed_in_any_phase_still_leads_to_one_ending(folder, moment):
    with make_stack(folder) as stack:
        person = Person(stack)
        answer = person.ask("@porter demo\ndo: write p.txt p\ndo: sleep 2", 1)
        task_id = json.loads(answer["delivery"]["answer"])["task"]
        order = ["queued", "starting", "clone", "agent", "saving", "publishing", "ended"]

        def reached():
            row = stack.rows("SELECT state, phase FROM tasks WHERE id = ?", task_id)[0]
            now = row["phase"] or ("queued" if row["state"] == "queued" else "ended")
            now = "clone" if now == "setup" else now
            return order.index(now) >= order.index(moment)

        wait_for(reached, f"the phase {moment}", 60, every=0.005)
        stack.kill("porter-fcgi")
        stack.start_fcgi()

        stack.wait_for_ending(task_id, 90)
        settle(stack)
        assert person.judge_one_ending(task_id, 1)["status"] == "success"
        assert len(person.effects("git.push")) == 1


def test_two_responders_and_many_watchdogs_share_one_database(folder):
    with make_stack(folder, watchdog_every=0.3) as stack:
        stack.start_fcgi("porter-fcgi-2")
        person = Person(stack)
        issues = [person.new_issue(f"Number {number}") for number in range(4)]
        tasks = {issue: person.start(f"@porter demo\ndo: write n{issue}.txt {issue}", issue) for issue in issues}

        for task_id in tasks.values():
            stack.wait_for_ending(task_id, 120)
        settle(stack)
        stack.end("porter-fcgi-2")

        for issue, task_id in tasks.items():
            assert person.judge_one_ending(task_id, issue)["status"] == "success"
