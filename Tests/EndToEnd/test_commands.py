"""The commands, as a person writes and reads them."""

import json
import re
import subprocess

import pytest
from conftest import make_stack
from outside import HELLO, Person, settle
from stack import wait_for


def test_a_run_leads_to_one_pull_request_and_one_ending(person):
    issue = person.new_issue("Say hello")
    task_id = person.start("@porter demo\ndo: write hello.txt hello\ndo: say ready", issue)

    task = person.stack.wait_for_ending(task_id)
    settle(person.stack)

    task = person.judge_one_ending(task_id, issue)
    assert task["status"] == "success" and task["reason"] is None
    assert task["pr_number"] and task["head_sha"]
    ending = person.marked(issue, f"{task_id}:ending")[0]["body"]
    assert "@hubert" in ending and f"#{task['pr_number']}" in ending
    assert "I did what I was told." in ending
    status = person.marked(issue, f"{task_id}:status")[0]["body"]
    assert task["ending_comment_url"] in status
    pull = person.effects("pull.created", issue=task["pr_number"])[0]
    assert f"Closes #{issue}" in pull["body"] and pull["base"] == "main"


def test_an_agent_that_changes_nothing_ends_as_no_changes(person):
    issue = person.new_issue()
    task_id = person.start("@porter demo do nothing", issue)

    person.stack.wait_for_ending(task_id)

    task = person.judge_one_ending(task_id, issue)
    assert (task["status"], task["reason"], task["pr_number"]) == ("success", "no_changes", None)


def test_what_a_failed_agent_left_is_saved_and_named(person):
    issue = person.new_issue()
    task_id = person.start("@porter demo\ndo: write half.txt done\ndo: exit 3", issue)

    person.stack.wait_for_ending(task_id)

    task = person.judge_one_ending(task_id, issue)
    assert (task["status"], task["reason"]) == ("failed", "agent_failed")
    assert task["head_sha"] and task["pr_number"] is None
    assert f"`{task['branch']}`" in person.marked(issue, f"{task_id}:ending")[0]["body"]


def test_what_the_agent_committed_and_left_is_in_one_commit_of_the_bot_for_the_person(person):
    issue = person.new_issue()
    task_id = person.start(
        "@porter demo\ndo: write one.txt 1\ndo: commit Closes #1 @octocat\ndo: write two.txt 2", issue)

    task = person.stack.wait_for_ending(task_id)

    log = _git(person, "log", "--format=%an|%cn|%B", f"main..{task['branch']}")
    author, committer, words = log.split("|", 2)
    assert author.endswith("[bot]") and committer == author
    assert "Co-authored-by: hubert <" in words and "octocat" not in words and "#1" not in words
    names = _git(person, "ls-tree", "-r", "--name-only", task["branch"]).splitlines()
    assert {"one.txt", "two.txt"} <= set(names)


def test_a_repository_that_is_renamed_during_a_run_gets_its_work(folder):
    with make_stack(folder) as stack:
        person = Person(stack)
        task_id = person.start("@porter demo\ndo: write kept.txt kept\ndo: sleep 3", 1)
        stack.wait_for_task(
            task_id, lambda task: task["progress"]["phase"] == "agent", "the agent to run")

        stack.control("PATCH", f"/repositories/{HELLO}", {"name": "greetings"})
        task = stack.wait_for_ending(task_id)

        assert (task["status"], task["repo_name"]) == ("success", "greetings"), task
        settle(stack)
        assert len(person.marked(1, f"{task_id}:ending", "octo-team/greetings")) == 1


def test_a_renamed_repository_gets_its_work_though_nobody_told_of_the_new_name(folder):
    with make_stack(folder, watchdog_every=None) as stack:
        person = Person(stack)
        task_id = person.start("@porter demo\ndo: write kept.txt kept\ndo: sleep 3", 1)
        stack.wait_for_task(
            task_id, lambda task: task["progress"]["phase"] == "agent", "the agent to run")

        stack.control("POST", "/webhooks", {"enabled": False})
        stack.control("PATCH", f"/repositories/{HELLO}", {"name": "greetings"})
        task = stack.wait_for_ending(task_id)

        assert (task["status"], task["reason"]) == ("success", None), task
        assert len(person.marked(1, f"{task_id}:ending", "octo-team/greetings")) == 1


def test_trouble_of_githubs_git_while_cloning_and_saving_costs_no_run(folder):
    with make_stack(folder) as stack:
        person = Person(stack)

        def trouble(path, kind):
            stack.control("POST", "/faults", {
                "path": f"/octo-team/hello.git{path}", "kind": kind, "times": 2})

        trouble("/info/refs", "html")
        task_id = person.start("@porter demo\ndo: write kept.txt kept\ndo: sleep 3", 1)
        stack.wait_for_task(
            task_id, lambda task: task["progress"]["phase"] == "agent", "the agent to run")
        trouble("/git-receive-pack", "status")
        trouble("/info/refs", "refuse")
        task = stack.wait_for_ending(task_id)

        assert (task["status"], task["reason"], task["attempt"]) == ("success", None, 1), task
        assert stack.control("GET", "/faults")["faults"] == []


def test_stop_ends_a_run_and_saves_what_is_there(person):
    issue = person.new_issue()
    task_id = person.start("@porter demo\ndo: write part.txt 1\ndo: sleep 60", issue)
    person.stack.wait_for_task(
        task_id, lambda task: task["progress"]["phase"] == "agent", "the agent to run")

    answer = person.ask("@porter stop", issue)
    task = person.stack.wait_for_ending(task_id, 60)
    settle(person.stack)

    task = person.judge_one_ending(task_id, issue)
    assert (task["status"], task["reason"]) == ("cancelled", "cancelled_by_user")
    assert task["head_sha"], "the work was thrown away"
    assert person.marked(issue, f"reply:{answer['comment']}") == []
    assert person.effects("reaction.created", comment_id=answer["comment"])


def test_stop_with_nothing_to_stop_is_answered(person):
    issue = person.new_issue()
    answer = person.ask("@porter stop", issue)

    assert "`nothing_to_do`" in person.reply_to(answer["comment"], issue)


def test_closing_the_issue_cancels_its_run(person):
    issue = person.new_issue()
    task_id = person.start("@porter demo\ndo: sleep 60", issue)
    person.stack.wait_for_task(task_id, lambda task: task["started_at"], "the claim")

    person.stack.control("POST", f"/issues/{HELLO}/{issue}/close")
    person.stack.wait_for_ending(task_id, 60)

    task = person.judge_one_ending(task_id, issue)
    assert (task["status"], task["reason"]) == ("cancelled", "issue_closed")


def test_retry_runs_the_latest_ended_task_again(person):
    issue = person.new_issue()
    first = person.start("@porter demo --timeout=2m\ndo: write again.txt 1\ndo: exit 1", issue)
    person.stack.wait_for_ending(first)

    second = person.start("@porter retry", issue)
    person.stack.wait_for_ending(second)

    assert second != first
    task = person.judge_one_ending(second, issue)
    assert (task["agent"], task["timeout_s"], task["reason"]) == ("demo", 120, "agent_failed")


def test_help_status_and_mistakes_are_answered_once_without_a_task(person):
    issue = person.new_issue()
    asked = {
        "@porter help": "`--timeout=10m`",
        "@porter status": "nothing runs on this issue",
        "@porter help me with this": "two ways",
        "@porter --frobnicate fix it": "`bad_command`",
        "@porter --timeout=2d fix it": "`bad_command`",
        "@porter opencdoe fix it": "`unknown_agent`",
        "@porter fixit": "`unknown_agent`",
    }
    answers = {text: person.ask(text, issue)["comment"] for text in asked}

    for text, expected in asked.items():
        body = person.reply_to(answers[text], issue)
        assert expected in body, (text, body)
        assert re.match(r"\*\*(Done|Failed)\*\* ", body), body
    settle(person.stack)
    assert len(person.ours(issue)) == len(asked)
    assert person.stack.rows("SELECT 1 FROM tasks WHERE issue_number = ?", issue) == []


def test_a_stranger_is_refused_once_and_then_met_with_silence(person):
    issue = person.new_issue()
    first = person.start("@porter demo do: write x.txt x", issue, author="stan")
    person.stack.wait_for_ending(first)
    second = person.start("@porter demo do: write y.txt y", issue, author="stan")
    third = person.ask("@porter help", issue, author="stan")

    wait_for(
        lambda: person.stack.rows("SELECT 1 FROM events WHERE task_id = ? AND kind = 'suppressed'", second),
        "the second refusal to be suppressed")
    wait_for(
        lambda: person.stack.rows(
            "SELECT 1 FROM commands WHERE comment_id = ? AND outcome = 'suppressed'", third["comment"]),
        "the third to be suppressed")
    settle(person.stack)

    assert len(person.ours(issue)) == 1
    ending = person.marked(issue, f"{first}:ending")[0]["body"]
    assert "`not_permitted`" in ending and "@stan" in ending
    repeat = person.stack.task(second)
    assert repeat["reason"] == "not_permitted"
    assert repeat["published_at"] == person.stack.task(first)["published_at"]
    assert all(task["attempt"] == 0 for task in (person.stack.task(first), repeat))


def test_accounts_that_are_not_served_get_nothing(person):
    # Whose App it is Porter learns with the first command.
    person.stack.wait_for_ending(person.start("@porter demo do: say hello", person.new_issue()))
    before = len(person.stack.rows("SELECT 1 FROM deliveries"))
    created = person.stack.control(
        "POST", "/issues", {"repository": "other-org/else", "title": "Elsewhere", "body": "", "author": "hubert"})

    answer = person.ask("@porter demo hello", created["number"], repository="other-org/else")

    assert answer["delivery"]["status"] == 202
    assert json.loads(answer["delivery"]["answer"]) == {"status": "ignored", "task": None}
    assert len(person.stack.rows("SELECT 1 FROM deliveries")) == before
    assert person.ours(created["number"], "other-org/else") == []


def test_comments_that_ask_for_nothing_start_nothing(person):
    issue = person.new_issue()
    quiet = [
        "> @porter demo quoted", "```\n@porter demo fenced\n```", "    @porter demo indented",
        "<!-- @porter demo hidden -->", "write to me@porter demo", "I like @porters", "no mention at all",
    ]
    for text in quiet:
        answer = person.ask(text, issue)
        assert json.loads(answer["delivery"]["answer"])["status"] == "ignored", text
    answer = person.ask("@porter demo I am a bot", issue, author="helper[bot]")
    assert json.loads(answer["delivery"]["answer"])["status"] == "ignored"

    assert person.ours(issue) == []


def test_an_archived_repository_and_a_missing_base_are_refused_with_their_reason(person):
    issue = person.new_issue()
    task_id = person.start("@porter demo --base=no-such-branch do: write x.txt x", issue)

    person.stack.wait_for_ending(task_id)

    task = person.judge_one_ending(task_id, issue)
    assert (task["status"], task["reason"], task["attempt"]) == ("failed", "base_branch_missing", 0)


def test_an_agent_without_a_key_says_what_is_missing(person):
    issue = person.new_issue()
    task_id = person.start("@porter claude fix it", issue)

    person.stack.wait_for_ending(task_id)

    ending = person.marked(issue, f"{task_id}:ending")[0]["body"]
    assert "`not_signed_up`" in ending and "ANTHROPIC_API_KEY" in ending


@pytest.mark.long
def test_a_silent_agent_is_stalled_and_a_slow_one_times_out(folder):
    with make_stack(folder, settings={"PORTER_STALL_TIMEOUT": "10"}) as stack:
        person = Person(stack)
        silent = person.start("@porter demo\ndo: write s.txt s\ndo: silent 120", 1)
        slow = person.start("@porter demo --timeout=60s\ndo: write t.txt t\ndo: sleep 120", 1)

        stack.wait_for_ending(silent, 60)
        stack.wait_for_ending(slow, 120)

        stalled = person.judge_one_ending(silent, 1)
        assert (stalled["status"], stalled["reason"]) == ("timed_out", "stalled")
        late = person.judge_one_ending(slow, 1)
        assert (late["status"], late["reason"]) == ("timed_out", "timeout")
        assert stalled["head_sha"] and late["head_sha"]


def _git(person, *arguments):
    return subprocess.run(
        ["git", "-c", "safe.directory=*", "-C", str(person.stack.repository(HELLO)), *arguments],
        check=True, capture_output=True, text=True).stdout.strip()
