"""What never arrived is found in GitHub's log of deliveries, or on GitHub itself, and runs once."""

import sqlite3
import time

import pytest
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


@pytest.mark.long
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


@pytest.mark.long
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


DAY = 86_400


def say_unheard(stack, text, issue, *, age=0):
    """A comment whose delivery fails at once, as old as is said."""
    answer = stack.comment(text, issue=issue, author="hubert", wait=True, age_s=age)
    assert answer["delivery"]["status"] >= 500
    return answer["comment"]


def age_porter(stack, seconds):
    """Makes what Porter knows of its own looks so much older: as if it had been off since then."""
    with sqlite3.connect(stack.database) as database:
        database.execute(
            "UPDATE marks SET at = at - ?1, value = CASE value WHEN '' THEN '' ELSE value - ?1 END "
            "WHERE name IN ('database.made', 'deliveries.looked', 'deliveries.read')", (seconds * 1000,))
        database.execute("DELETE FROM marks WHERE name IN ('deliveries.tag', 'deliveries.walk')")


def hide_the_log(stack):
    """An App without a webhook: GitHub has no log of deliveries for it."""
    stack.control("POST", "/webhooks", {"enabled": False})
    stack.control("POST", "/faults", {
        "kind": "status", "status": 404, "body": '{"message": "Not Found"}', "times": 100_000,
        "path": "/app/hook/deliveries"})


def test_an_outage_that_is_longer_than_the_log_reaches_loses_and_doubles_nothing(folder):
    with make_stack(folder, watchdog_every=None) as stack:
        person = Person(stack)
        assert stack.watchdog() == 0
        stack.kill("porter-fcgi")
        stack.control("POST", "/webhooks", {"enabled": False})
        # What is not github.com is an Enterprise Server, which keeps its log for seven days.
        stack.control("POST", "/log", {"reach_s": 7 * DAY})
        age_porter(stack, 9 * DAY)
        issues = [person.new_issue() for _ in range(3)]
        old = [say_unheard(stack, "@porter help", issues[n % 3], age=8 * DAY - n) for n in range(20)]
        recent = [say_unheard(stack, "@porter help", issues[n % 3], age=2 * DAY - n) for n in range(20)]
        run = say_unheard(stack, "@porter demo\ndo: write n.txt n", issues[0], age=8 * DAY - 100)
        stack.start_fcgi()

        stack.watchdog()

        task_id = wait_for(lambda: task_of(stack, run), "the missed command")
        stack.wait_for_ending(task_id)
        stack.watchdog()
        settle(stack)
        assert person.judge_one_ending(task_id, issues[0])["status"] == "success"
        for number, comment in enumerate(old + recent):
            issue = issues[number % 20 % 3]
            wait_for(lambda c=comment, i=issue: person.marked(i, f"reply:{c}"), "the answer")
        stack.watchdog()
        settle(stack)
        for number, comment in enumerate(old + recent):
            assert len(person.marked(issues[number % 20 % 3], f"reply:{comment}")) == 1
        assert len(stack.rows("SELECT 1 FROM commands")) == 41
        asked = stack.rows("SELECT 1 FROM missed_deliveries WHERE event = 'issue_comment'")
        assert len(asked) == 20, "the log reaches the younger half only"


@pytest.mark.long
def test_with_polling_and_no_webhook_a_command_begins_within_40_s_and_a_closing_ends_it(folder):
    with make_stack(folder, settings={"PORTER_INGEST": "poll"}, watchdog_every=None) as stack:
        hide_the_log(stack)
        person = Person(stack)
        issue = person.new_issue()
        other = person.new_issue(body="@porter demo\ndo: say hello")
        asked = time.monotonic()
        comment = say_unheard(stack, "@porter demo\ndo: sleep 120", issue)

        task_id = wait_for(lambda: task_of(stack, comment), "the polled command", 40)
        stack.wait_for_task(task_id, lambda task: task["started_at"], "its start", 40)
        assert time.monotonic() - asked < 40
        opened = wait_for(
            lambda: stack.rows("SELECT id FROM tasks WHERE issue_number = ?", other), "the opening text", 40)
        stack.wait_for_ending(opened[0]["id"])
        assert person.judge_one_ending(opened[0]["id"], other)["reason"] == "no_changes"

        stack.control("POST", f"/issues/octo-team/hello/{issue}/close", {})
        stack.wait_for_ending(task_id)
        settle(stack)
        assert person.judge_one_ending(task_id, issue)["reason"] == "issue_closed"
        assert stack.rows("SELECT 1 FROM deliveries") == []


def test_a_comment_that_was_edited_before_it_was_found_is_answered_and_not_run(folder):
    with make_stack(folder, settings={"PORTER_INGEST": "poll"}, watchdog_every=None) as stack:
        person = Person(stack)
        stack.kill("porter-fcgi")
        hide_the_log(stack)
        issue = person.new_issue()
        comment = say_unheard(stack, "@porter demo\ndo: say hello", issue, age=60)
        stack.control("PATCH", f"/comments/{comment}", {"body": "@porter demo\ndo: say goodbye"})
        age_porter(stack, 3600)

        stack.start_fcgi()

        assert "Please repeat the command" in person.reply_to(comment, issue, seconds=40)
        assert stack.rows("SELECT 1 FROM tasks") == []
