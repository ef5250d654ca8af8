"""What never arrived is found in GitHub's log of deliveries, and runs once."""

from conftest import make_stack
from outside import Person, settle
from stack import wait_for


def task_of(stack, comment):
    found = stack.rows("SELECT id FROM tasks WHERE comment_id = ?", comment)
    return found[0]["id"] if found else None


def wait_for_failure(stack, answer):
    """The responder's socket still takes connections: GitHub gives up after ten seconds."""
    guid = answer["delivery"]["guid"]
    wait_for(lambda: stack.control("GET", f"/deliveries/{guid}")["delivered_at"], "GitHub to give up")
    assert stack.control("GET", f"/deliveries/{guid}")["status_code"] >= 500


def test_commands_written_while_porter_was_down_run_once_each_afterwards(folder):
    with make_stack(folder, watchdog_every=None) as stack:
        person = Person(stack)
        stack.kill("porter-fcgi")
        issues = [person.new_issue() for _ in range(2)]
        answers = [person.ask(f"@porter demo\ndo: write n{issue}.txt n", issue) for issue in issues]
        for answer in answers:
            wait_for_failure(stack, answer)
        assert not stack.rows("SELECT 1 FROM tasks")
        stack.start_fcgi()

        stack.watchdog()
        tasks = [wait_for(lambda a=a: task_of(stack, a["comment"]), "the missed command") for a in answers]
        for task_id in tasks:
            stack.wait_for_ending(task_id)
        stack.watchdog()
        settle(stack)

        for task_id, issue in zip(tasks, issues, strict=True):
            assert person.judge_one_ending(task_id, issue)["status"] == "success"
        assert len(stack.rows("SELECT 1 FROM tasks")) == 2


def test_the_watchdog_takes_a_missed_command_in_without_any_responder(folder):
    with make_stack(folder, watchdog_every=None) as stack:
        person = Person(stack)
        stack.kill("porter-fcgi")
        issue = person.new_issue()
        answer = person.ask("@porter demo\ndo: say hello", issue)
        wait_for_failure(stack, answer)

        stack.watchdog()

        task_id = task_of(stack, answer["comment"])
        assert task_id
        stack.start_fcgi()
        stack.wait_for_ending(task_id)
        settle(stack)
        assert person.judge_one_ending(task_id, issue)["reason"] == "no_changes"


def test_with_polling_a_box_that_github_cannot_reach_runs_commands(folder):
    with make_stack(folder, settings={"PORTER_INGEST": "poll"}, watchdog_every=None) as stack:
        person = Person(stack)
        stack.end("nginx")
        issue = person.new_issue()
        answer = person.ask("@porter demo\ndo: say hello", issue)

        wait_for(lambda: task_of(stack, answer["comment"]), "the polled command", 40)
