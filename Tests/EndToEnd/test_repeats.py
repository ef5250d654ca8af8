"""However often GitHub says a thing, it happens once."""

import copy
import json
import uuid

from outside import HELLO, settle


def test_five_deliveries_and_a_new_id_make_one_of_everything(person):
    issue = person.new_issue()
    answer = person.ask("@porter demo\ndo: write once.txt once", issue)
    delivery = answer["delivery"]
    task_id = json.loads(delivery["answer"])["task"]

    again = person.stack.control("POST", f"/deliveries/{delivery['guid']}/redeliver", {"times": 4, "wait": True})
    payload = person.stack.control("GET", f"/deliveries/{delivery['guid']}")["request"]["payload"]
    status, anew = person.deliver("issue_comment", payload)
    person.stack.wait_for_ending(task_id)
    settle(person.stack)
    late_status, late = person.deliver("issue_comment", payload, guid=delivery["guid"])

    assert [(one["status_code"], json.loads(one["answer"])) for one in again["deliveries"]] == [
        (202, {"status": "duplicate", "task": task_id})] * 4
    assert (status, anew) == (202, {"status": "duplicate", "task": task_id})
    assert (late_status, late) == (202, {"status": "duplicate", "task": task_id})
    task = person.judge_one_ending(task_id, issue)
    assert task["status"] == "success"
    assert len(person.stack.rows("SELECT 1 FROM tasks WHERE issue_number = ?", issue)) == 1
    assert len(person.stack.rows("SELECT 1 FROM attempts WHERE task_id = ?", task_id)) == 1
    assert len(person.marked(issue, f"{task_id}:status")) == 1
    assert len(person.ours(issue)) == 2


def test_a_known_delivery_id_with_other_content_changes_nothing(person):
    issue = person.new_issue()
    answer = person.ask("@porter demo\ndo: say hello", issue)
    task_id = json.loads(answer["delivery"]["answer"])["task"]
    guid = answer["delivery"]["guid"]
    payload = copy.deepcopy(person.stack.control("GET", f"/deliveries/{guid}")["request"]["payload"])
    payload["comment"]["id"] += 1_000_000
    payload["comment"]["body"] = "@porter demo\ndo: write other.txt other"

    status, said = person.deliver("issue_comment", payload, guid=guid)

    again = person.deliver("issue_comment", payload, guid=guid)

    assert (status, said) == again == (202, {"status": "duplicate", "task": task_id})
    person.stack.wait_for_ending(task_id)
    assert len(person.stack.rows("SELECT 1 FROM tasks WHERE issue_number = ?", issue)) == 1
    # It is seen, once: in the task's history and in the log.
    events = [one for one in person.stack.task(task_id)["events"] if one["kind"] == "delivery_differs"]
    assert len(events) == 1
    log = (person.stack.folder / "logs" / "porter-fcgi.log").read_text()
    assert log.count(f"delivery repeated with other content delivery={guid}") == 2


def test_a_repeated_command_in_a_new_comment_makes_its_own_task(person):
    issue = person.new_issue()
    first = person.start("@porter demo\ndo: write a.txt a", issue)
    second = person.start("@porter demo\ndo: write a.txt a", issue)

    person.stack.wait_for_ending(first)
    person.stack.wait_for_ending(second)

    assert first != second
    assert person.judge_one_ending(first, issue)["branch"] != person.judge_one_ending(second, issue)["branch"]


def test_an_edited_or_deleted_comment_starts_nothing(person):
    issue = person.new_issue()
    plain = person.ask("nothing yet", issue)["comment"]

    person.stack.control(
        "PATCH", f"/comments/{plain}", {"actor": "hubert", "body": "@porter demo edited in", "wait": True})
    person.stack.control("DELETE", f"/comments/{plain}", {"actor": "hubert", "wait": True})

    events = [one for one in person.effects("delivery.sent", event="issue_comment") if one["comment_id"] == plain]
    assert [one["action"] for one in events] == ["created", "edited", "deleted"]
    assert all(one["status_code"] == 202 for one in events)
    assert person.stack.rows("SELECT 1 FROM tasks WHERE issue_number = ?", issue) == []


def test_a_wrong_signature_is_refused_whatever_it_says(person):
    before = len(person.stack.rows("SELECT 1 FROM deliveries"))
    body = {"action": "created", "repository": {"full_name": HELLO}}

    wrong = person.deliver("issue_comment", body, secret="not the secret")
    missing = person.deliver("issue_comment", body, **{"X-Hub-Signature-256": None})
    nonsense = person.deliver("issue_comment", b"not json", guid=str(uuid.uuid4()))

    assert [wrong[0], missing[0], nonsense[0]] == [401, 401, 400]
    assert len(person.stack.rows("SELECT 1 FROM deliveries")) == before
