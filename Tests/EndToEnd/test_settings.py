"""Settings and keys through nginx: they act, are checked for real, and never come out again."""

import pytest

from conftest import AGENTS, make_stack
from outside import Person
from stack import wait_for
from visitor import Visitor


@pytest.fixture
def stack(folder):
    # The scripted model stands for OpenAI; agents that are not installed are refused by the worker.
    with make_stack(
        folder, agents=("demo", "claude"), demo_agent=AGENTS / "obedient",
        settings={"PORTER_TASK_TIMEOUT": "", "PORTER_KEY_ANTHROPIC_API_KEY": ""},
    ) as stack:
        yield stack


def people(stack):
    return Visitor(stack, 583_231, "hubert", admin=True), Visitor(stack, 583_232, "mona")


def test_a_key_is_entered_checked_shown_as_configured_and_removed(stack):
    _, mona = people(stack)
    where = "/api/config/provider-credentials"
    assert not mona.change("POST", "/api/config/validate/anthropic")["ok"]
    body = {"provider": "anthropic", "name": "ANTHROPIC_API_KEY", "value": stack.model_key}
    mona.change("PUT", where, body, expect=204)

    found = mona.change("POST", "/api/config/validate/anthropic")

    assert found["ok"], found
    assert {check["name"] for check in found["checks"]} == {"key", "address", "answer"}
    listed = mona.get(where)["credentials"]
    assert [(one["provider"], one["name"], one["configured"]) for one in listed] == [
        ("anthropic", "ANTHROPIC_API_KEY", True)]
    assert stack.model_key not in repr(listed) + repr(found)
    mona.change("PUT", where, body | {"value": "sk-wrong-0123456789"}, expect=204)
    refused = mona.change("POST", "/api/config/validate/anthropic")
    assert not refused["ok"] and "refuses the key" in refused["checks"][-1]["message"], refused
    mona.change("DELETE", f"{where}/anthropic/ANTHROPIC_API_KEY", expect=204)
    assert mona.get(where)["credentials"] == []


def test_defaults_of_person_repository_and_team_act_on_commands(stack):
    hubert, mona = people(stack)
    person = Person(stack)
    issue = person.new_issue("Defaults")
    hubert.change("PATCH", "/api/config?scope=shared", {"default_agent": "demo", "timeout_s": 120})
    first = person.start("@porter\ndo: write one.txt 1", issue)
    assert stack.wait_for_ending(first)["agent"] == "demo"
    assert stack.task(first)["timeout_s"] == 120
    mona.change("PATCH", "/api/config", {"default_agent": "codex", "default_priority": "high"})
    second = person.start("@porter do something", issue, author="mona")
    ended = stack.wait_for_ending(second)
    assert (ended["agent"], ended["priority"]) in [("codex", "high"), (None, "high")]
    assert ended["reason"] == "provider_key_missing", ended
    hubert.change("PATCH", "/api/agents/demo", {"enabled": False})
    third = person.start("@porter\ndo: write three.txt 3", issue)
    assert stack.wait_for_ending(third)["reason"] == "agent_disabled"


def test_a_repository_is_switched_off_and_on(stack):
    hubert, mona = people(stack)
    assert stack.watchdog() == 0
    person = Person(stack)
    issue = person.new_issue("Switched")

    def found():
        return [one for one in hubert.get("/api/github/repositories")["repositories"] if one["name"] == "hello"]

    # The pass asks for a look at GitHub; whoever is free makes it.
    [hello] = wait_for(found, "the picture of GitHub")
    mona.change("PATCH", f"/api/github/repositories/{hello['id']}", {"enabled": False}, expect=404)
    assert hubert.change("PATCH", f"/api/github/repositories/{hello['id']}", {"enabled": False})["served"] is False
    refused = person.start("@porter demo\ndo: write off.txt x", issue)
    assert stack.wait_for_ending(refused)["reason"] == "repository_not_enabled"
    hubert.change("PATCH", f"/api/github/repositories/{hello['id']}", {"enabled": True})
    done = person.start("@porter demo\ndo: write on.txt x", issue)
    assert stack.wait_for_ending(done)["status"] == "success"


def test_bad_bodies_are_refused_with_the_right_status(stack):
    _, mona = people(stack)
    deep = b'{"draft": ' + b"[" * 2000 + b"]" * 2000 + b"}"
    for body, status in [
        (b"x" * 10_000_000, 413), (deep, 400), (b'{"draft": "\\u0000"}', 422), (b"\0", 400), (b"", 400),
        (b'{"unknown": 1}', 422), (b"[]", 400),
    ]:
        assert mona.call("PATCH", "/api/config", body)[0] == status, body[:40]
    tag = mona.call("GET", "/api/config")[2]["ETag"]
    mona.fields["If-Match"] = tag
    assert mona.call("PATCH", "/api/config", {"draft": True})[0] == 200
    assert mona.call("PATCH", "/api/config", {"draft": False})[0] == 412
    del mona.fields["If-Match"]
    assert mona.get("/api/config")["draft"] is True
