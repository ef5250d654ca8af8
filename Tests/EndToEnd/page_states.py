"""What the stand-in answers, by state: the same few people, repositories and runs, in each condition that a page
can meet. Times are relative to now, so that pictures say the same each day."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from standin import CUT, SILENCE

LONG = "a-very-long-name-that-somebody-thought-of-and-nobody-ever-shortened-" * 3
LONG_WORDS = "The parser of the configuration drops the last line when the file does not end in a line break " * 3


def ago(**span) -> str:
    moment = datetime.now(timezone.utc) - timedelta(**span)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def profile(is_admin: bool = True, login: str = "mona") -> dict:
    return {"id": 4242, "login": login, "is_admin": is_admin, "url": f"https://github.com/{login}"}


def task(number: int, status: str = "success", **more) -> dict:
    is_ended = status not in ("queued", "running")
    values = {
        "id": f"task_01J{number:023d}", "status": status, "reason": None, "repo_owner": "octo-team",
        "repo_name": "hello", "issue_number": number, "issue_title": f"Flaky login test, part {number}",
        "agent": "codex", "model": None, "priority": "normal", "created_by": "mona", "created_by_id": 4242,
        "branch": f"porter/task_01J{number:023d}", "base_branch": "main", "head_sha": None, "pr_number": None,
        "pr_url": None, "comment_url": f"https://github.com/octo-team/hello/issues/{number}#issuecomment-1",
        "status_comment_url": None, "ending_comment_url": None, "executor": "local", "machine_id": None,
        "attempt": 1 if status != "queued" else 0, "callback_attempts": 1,
        "progress": {"phase": None, "message": None, "at": None},
        "usage": {"input_tokens": None, "output_tokens": None, "cost_usd": None}, "timeout_s": 600,
        "created_at": ago(hours=number), "started_at": None if status == "queued" else ago(hours=number),
        "finished_at": ago(hours=number - 0.1) if is_ended else None, "published_at": None,
        "duration_ms": 125_000 if is_ended else None, "error_message": None,
    }
    return values | more


def tasks() -> list[dict]:
    return [
        task(1, "running", created_at=ago(minutes=2), started_at=ago(minutes=2),
             progress={"phase": "agent", "message": None, "at": ago(seconds=4)}),
        task(2, "queued", created_at=ago(minutes=1), agent="claude"),
        task(3, pr_number=17, pr_url="https://github.com/octo-team/hello/pull/17", head_sha="a" * 40,
             usage={"input_tokens": 41_234, "output_tokens": 2_345, "cost_usd": 0.4213}),
        task(4, "failed", reason="provider_auth", error_message="The model provider refused the key."),
        task(5, "timed_out", reason="timeout", head_sha="b" * 40, error_message="The run took longer than it may."),
        task(6, "cancelled", reason="cancelled_by_user", error_message="The run was stopped on request."),
    ]


def events() -> list[dict]:
    return [
        {"at": ago(minutes=9), "attempt": 0, "kind": "queued", "detail": None},
        {"at": ago(minutes=8), "attempt": 1, "kind": "launched", "detail": "machine 148e05"},
        {"at": ago(minutes=8), "attempt": 1, "kind": "claimed", "detail": None},
        {"at": ago(minutes=2), "attempt": 1, "kind": "ended", "detail": "success"},
    ]


LOG = (
    "Cloning octo-team/hello\n\x1b[32mok\x1b[0m  tests found\n\x1b[1;31mFAILED\x1b[0m test_login.py::test_redirect\x1b[K\n"
    + "a line that is longer than most screens are wide, because some compiler wanted it so; " * 4 + "\n"
    + "".join(f"step {number} of 40\n" for number in range(1, 41))
)

def provider(name: str, title: str, *keys: str, own: tuple = ()) -> dict:
    return {
        "name": name, "title": title, "keys_page": f"https://{name}.example/keys", "keys": list(keys),
        "admin_variables": list(own), "agents": ["opencode"], "can_be_checked": name != "amp",
        "configured": {"user": False, "shared": False, "shared_key": False},
    }


PROVIDERS = {
    "providers": [
        provider("anthropic", "Anthropic", "ANTHROPIC_API_KEY", own=("ANTHROPIC_BASE_URL", "ANTHROPIC_CUSTOM_HEADERS")),
        provider("openai", "OpenAI", "OPENAI_API_KEY", own=("OPENAI_BASE_URL",)),
        provider("openrouter", "OpenRouter", "OPENROUTER_API_KEY"),
        provider("google", "Google", "GEMINI_API_KEY"),
        provider("amp", "Amp", "AMP_API_KEY"),
    ]
}


def agent(name: str, title: str, **more) -> dict:
    return {
        "name": name, "title": title, "aliases": [], "enabled": True, "usable": True, "keys": [[]], "guidance": None,
    } | more


AGENTS = {
    "agents": [
        agent("opencode", "opencode"),
        agent("claude", "Claude Code", guidance="Run `make test` before you finish."),
        agent("codex", "Codex", enabled=False), agent("amp", "Amp", usable=False),
    ]
}
EMPTY_CONFIG = {
    name: None for name in [
        "default_agent", "default_model", "default_priority", "draft", "context", "timeout_s", "stall_timeout_s",
        "tasks_per_user", "tasks_total", "gist_mirror",
    ]
} | {
    "gist": {"state": "off", "at": None, "url": None, "message": "Porter writes no gist."},
    "scope": "user", "fly": {"configured": False, "app": None, "region": None, "updated_at": None},
    "fixed_by_operator": [],
    "limits": {
        "timeout_s": {"minimum": 60, "maximum": 3600}, "stall_timeout_s": {"minimum": 10, "maximum": 86400},
        "tasks_per_user": {"minimum": 1, "maximum": 1000}, "tasks_total": {"minimum": 1, "maximum": 1000},
    },
    "effective": {
        "default_agent": None, "default_model": None, "default_priority": "normal", "draft": False,
        "context": "writers", "timeout_s": 600, "stall_timeout_s": 300, "tasks_per_user": 5, "tasks_total": 4,
        "executor": "local",
    },
}


def credentials(names) -> dict:
    return {
        "credentials": [
            {"provider": provider, "name": name, "scope": "user", "configured": True, "updated_at": ago(days=3),
             "source": "settings"}
            for provider, name in names
        ]
    }


def checks(is_ok: bool) -> dict:
    def check(name: str, good: str, bad: str, action: str | None) -> dict:
        return {"name": name, "ok": is_ok, "message": good if is_ok else bad, "action": None if is_ok else action}

    return {
        "ready": is_ok, "mention": "porter",
        "checks": [
            {"name": "github_app", "ok": True, "message": "Porter acts on GitHub as its App.", "action": None},
            check("installation", "The App is installed for octo-team.", "The App is not installed yet.",
                  "https://github.com/apps/porter-example/installations/new"),
            check("repository", "3 of your repositories listen, such as octo-team/hello.",
                  "Every repository that you see here is archived or switched off.", "/repositories/"),
            check("agent", "With your keys and the team's you can ask opencode, claude.",
                  "There is no key for any agent yet: save one of yours.", "/settings/"),
            check("watchdog", "The watchdog makes its passes.",
                  "The watchdog made no pass for five minutes: the operator must look at porter-watchdog.timer.", None),
        ],
    }


def repository(index: int, name: str, **more) -> dict:
    return {
        "id": 100 + index, "owner": "octo-team", "name": name, "full_name": f"octo-team/{name}",
        "url": f"https://github.com/octo-team/{name}", "installation_id": 7, "default_branch": "main",
        "archived": False, "enabled": True, "served": True, "problem": None, "default_agent": None,
        "default_model": None, "updated_at": ago(days=1),
    } | more


def repositories(number: int = 3, name: str = "hello") -> dict:
    listed = [repository(index, f"{name}-{index}") for index in range(number)]
    listed[1] |= {"enabled": False, "served": False, "problem": "An admin switched it off."}
    listed[2] |= {"archived": True, "served": False, "problem": "It is archived: nothing can be pushed."}
    return {"repositories": listed, "refreshed_at": ago(minutes=4)}


def set_up(stage: str, message: str) -> dict:
    return {
        "stage": stage, "message": message, "owner": None, "github_url": "https://github.com",
        "public_url": "https://porter.example.org",
        "installation_url": "https://github.com/apps/porter-example/installations/new" if stage == "stored" else None,
    }


def sessions() -> list[dict]:
    firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    chrome = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36"
    return [
        {"id": "s1", "current": True, "created_at": ago(days=2), "used_at": ago(seconds=1),
         "expires_at": ago(days=-7), "address": "192.0.2.17", "user_agent": firefox},
        {"id": "s2", "current": False, "created_at": ago(days=9), "used_at": ago(days=3), "expires_at": ago(days=-4),
         "address": "2001:db8:1234:5678:9abc:def0:1234:5678", "user_agent": chrome},
    ]


def audit() -> list[dict]:
    return [
        {"id": 3, "at": ago(minutes=5), "actor_id": 4242, "actor": "mona", "action": "key.saved",
         "subject": "ANTHROPIC_API_KEY", "detail": "user", "address": "192.0.2.17"},
        {"id": 2, "at": ago(hours=5), "actor_id": 4242, "actor": "mona", "action": "repository.changed",
         "subject": "octo-team/hello-1", "detail": None, "address": "192.0.2.17"},
        {"id": 1, "at": ago(days=2), "actor_id": None, "actor": "porter", "action": "session.started",
         "subject": "mona", "detail": None, "address": None},
    ]


def filled() -> dict:
    """Everything is there and in order."""
    listed = tasks()
    answers = {
        "GET /api/github/profile": (200, profile()),
        "GET /api/auth/diagnostics": (200, {
            "set_up": True, "signed_in": False, "sign_in_url": "/api/auth/github", "github_url": "https://github.com",
            "problem": None}),
        "GET /api/setup/status": (200, set_up("offered", "Choose who is to own the App, and go on to GitHub.")),
        "GET /api/startup/check": (200, checks(True)),
        "GET /api/tasks": lambda _, query: (
            200, {"tasks": listed[:2] if "status=queued" in query else listed, "next": None}),
        "GET /api/config": (200, EMPTY_CONFIG | {
            "default_agent": "claude", "timeout_s": 900, "gist_mirror": True, "gist": {
                "state": "written", "at": ago(days=1), "url": "https://gist.github.com/mona/aa5a315d61ae9438b18d",
                "message": "The gist says what your settings say. No key is in it."}}),
        "GET /api/config/providers": (200, PROVIDERS),
        "GET /api/config/provider-credentials": (200, credentials([("anthropic", "ANTHROPIC_API_KEY")])),
        "GET /api/agents": (200, AGENTS),
        "GET /api/github/repositories": (200, repositories()),
        "GET /api/sessions": (200, {"sessions": sessions()}),
        "GET /api/audit": (200, {"entries": audit(), "next": None}),
        "PATCH /api/config": lambda body, _: (200, EMPTY_CONFIG | body),
        "PUT /api/config/provider-credentials": (204, None),
        "DELETE /api/config/provider-credentials/anthropic/ANTHROPIC_API_KEY": (204, None),
        "POST /api/config/validate/anthropic": (200, {"ok": True, "checks": [
            {"name": "key", "ok": True, "message": "Anthropic accepts the key.", "action": None}]}),
        "POST /api/auth/logout": (204, None),
    }
    for one in listed:
        path = f"/api/tasks/{one['id']}"
        answers |= {
            f"GET {path}": (200, one | {"events": events()}),
            f"GET {path}/log": lambda _, query: (
                200, {"offset": 0, "next_offset": len(LOG), "text": "" if f"offset={len(LOG)}" in query else LOG,
                      "complete": True}),
            f"GET {path}/prompt": (200, {"prompt": "Fix the flaky login test.\n\nIssue 3: …", "omissions": [
                "2 comments by people who cannot push"]}),
            f"POST {path}/stop": (202, {"id": one["id"], "status": one["status"]}),
        }
    return answers


def empty() -> dict:
    """A first day: nothing is there yet."""
    return filled() | {
        "GET /api/startup/check": (200, checks(False)),
        "GET /api/tasks": (200, {"tasks": [], "next": None}),
        "GET /api/config": (200, EMPTY_CONFIG),
        "GET /api/config/provider-credentials": (200, {"credentials": []}),
        "GET /api/github/repositories": (200, {"repositories": [], "refreshed_at": None}),
        "GET /api/audit": (200, {"entries": [], "next": None}),
        "GET /api/setup/status": (200, set_up("closed", "Run `porterctl setup-url` on Porter's box, and open the address that it prints.")),
        **{f"GET /api/tasks/{task(3)['id']}": (200, task(3, "queued") | {"events": []}),
           f"GET /api/tasks/{task(3)['id']}/log": (
               200, {"offset": 0, "next_offset": 0, "text": "", "complete": False}),
           f"GET /api/tasks/{task(3)['id']}/prompt": (200, {"prompt": None, "omissions": []})},
    }


def long() -> dict:
    """Many of everything, and names as long as they can be."""
    many = [
        task(1, "failed", repo_owner=LONG[:39], repo_name=LONG[:100], issue_title=LONG_WORDS[:256], created_by=LONG[:39],
             reason="provider_auth", error_message=f"The model provider refused the key. {LONG}"),
        *[task(2 + number % 90) | {"id": f"task_01K{number:023d}"} for number in range(40)],
    ]
    big = task(3, "failed", repo_owner=LONG[:39], repo_name=LONG[:100], issue_title=LONG[:200], created_by=LONG[:39],
               base_branch=LONG, reason="internal", error_message=LONG_WORDS + LONG)
    return filled() | {
        "GET /api/github/profile": (200, profile(login=LONG[:39])),
        "GET /api/startup/check": (200, {"ready": False, "mention": LONG[:39], "checks": [
            {"name": "provider_key", "ok": False, "message": LONG_WORDS + LONG, "action": "/settings/"},
            {"name": LONG[:60], "ok": False, "message": LONG, "action": "https://github.com/" + LONG}]}),
        "GET /api/tasks": (200, {"tasks": many, "next": "task_01J"}),
        "GET /api/config": (200, EMPTY_CONFIG | {
            "gist_mirror": True, "gist": {
                "state": "failed", "at": ago(days=1), "url": "https://gist.github.com/" + LONG, "message": LONG_WORDS},
            "default_model": LONG[:200], "timeout_s": 3600, "fixed_by_operator": ["stall_timeout_s"],
            "fly": {"configured": True, "app": LONG[:63], "region": "ams", "updated_at": ago(days=3)}}),
        "GET /api/setup/status": (200, set_up("stored", LONG_WORDS)),
        "GET /api/agents": (200, {"agents": [
            agent("opencode", "opencode", guidance=LONG_WORDS * 9)]}),
        "GET /api/github/repositories": (200, repositories(60, LONG[:90])),
        "GET /api/sessions": (200, {"sessions": [one | {"user_agent": LONG} for one in sessions()] * 5}),
        "GET /api/audit": (200, {"entries": [
            one | {"subject": LONG, "detail": LONG_WORDS, "actor": LONG[:39]} for one in audit()] * 10, "next": "7"}),
        f"GET /api/tasks/{big['id']}": (200, big | {"events": [
            one | {"detail": LONG} for one in events()] * 5}),
        f"GET /api/tasks/{big['id']}/prompt": (200, {"prompt": LONG_WORDS * 40 + LONG, "omissions": [LONG]}),
    }


def everywhere(answer) -> dict:
    """One answer to every reading call."""
    return {call: answer for call in filled() if call.startswith("GET ")}


def after_profile(answer, is_admin: bool = True) -> dict:
    """One answer to every reading call but the question who is here."""
    return everywhere(answer) | {"GET /api/github/profile": (200, profile(is_admin))}


STATES = {
    "filled": filled,
    "empty": empty,
    "long": long,
    "failed": lambda: after_profile(
        (503, {"error": "unavailable", "message": "The database cannot be used now; try again in a moment."})),
    "refused": lambda: after_profile(
        (403, {"error": "forbidden", "message": "Only admins of this Porter may do that."}), is_admin=False),
    "missing": lambda: after_profile((404, {"error": "not_found", "message": "There is no such task."})),
    "signed-out": lambda: everywhere(
        (401, {"error": "unauthorized", "message": "Sign in with GitHub.", "action": "/api/auth/github"})),
    "unreachable": lambda: everywhere(CUT),
    "slow": lambda: everywhere(SILENCE),
    "nonsense": lambda: everywhere((200, "<!doctype html><title>Sign in to the hotel’s network</title>")),
}


def answers(state: str) -> dict:
    """The table of a state."""
    return STATES[state]()


# A page of each kind.
PAGES = {
    "overview": "/", "runs": "/tasks/", "run": f"/task/?id={task(3)['id']}", "settings": "/settings/",
    "team": "/team/", "repositories": "/repositories/", "sessions": "/sessions/", "audit": "/audit/",
    "set-up": "/setup/#token=0123456789", "help": "/help/", "not-found": "/there-is-no-such-page",
}
# These ask nothing, so they look the same in every state.
STILL = ["help", "not-found"]
