"""A canary in every slot for a secret; after a whole run none has left a trace anywhere, in any form."""

import base64
import os
import subprocess
import urllib.parse
from pathlib import Path

from conftest import AGENTS, make_stack
from outside import Person
from visitor import Visitor

# Parts of the outside, which know what they were given.
OUTSIDE = ("porter-playground",)
# The programs whose own environment may hold what the operator gave them.
OWN = ("porter-fcgi", "porter-watchdog", "porterctl")


def forms(value: str) -> list[bytes]:
    """The value, in hexadecimal, Base64 at each place in a group, percent-encoded, and backwards."""
    raw = value.encode()
    found = [raw, raw.hex().encode(), raw.hex().upper().encode(), raw[::-1]]
    encoded = urllib.parse.quote(value, safe="").encode()
    if encoded != raw:
        found.append(encoded)
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + raw)
        start = (offset * 8 + 5) // 6
        end = (offset + len(raw)) * 8 // 6
        found += [text[start:end], text[start:end].translate(bytes.maketrans(b"+/", b"-_"))]
    return found


def traces(where: str, data: bytes, canaries: dict[str, str]) -> list[str]:
    return [
        f"{name} in {where}" for name, value in canaries.items() if any(form in data for form in forms(value))
    ]


def processes() -> list[tuple[str, bytes, bytes]]:
    """Name, arguments and environment of every process."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            arguments = (folder / "cmdline").read_bytes()
            name = Path(os.readlink(folder / "exe")).name
            environment = (folder / "environ").read_bytes()
        except OSError:
            continue
        found.append((name, arguments, environment))
    return found


def of_this_stack(stack) -> list[tuple[str, bytes, bytes]]:
    marks = [str(stack.folder).encode(), str(stack.scratch).encode()]
    return [
        one for one in processes()
        if one[0] not in OUTSIDE and any(mark in one[1] + one[2] for mark in marks)
    ]


def test_no_canary_leaves_its_slot(folder):
    canary = {
        "team key": "sk-canary/team+key=0123456789", "fly token of the operator": "fo1-canary+fly/0123456789abc",
        "client secret": "canary-client-secret-0123456789",
    }
    settings = {
        "PORTER_KEY_ANTHROPIC_API_KEY": canary["team key"], "PORTER_FLY_TOKEN": canary["fly token of the operator"],
        "PORTER_GITHUB_CLIENT_SECRET": canary["client secret"], "PORTER_LOG_LEVEL": "debug",
    }
    with make_stack(folder, settings=settings, demo_agent=AGENTS / "obedient") as stack:
        secrets = folder / "secrets"
        pem = [line for line in (secrets / "app.pem").read_text().splitlines() if not line.startswith("-")]
        canary |= {
            "operator token": stack.operator_token, "webhook secret": stack.webhook_secret,
            "sealing key": stack.keys.split(":", 1)[1], "private key": pem[3],
        }
        hubert = Visitor(stack, 583_231, "hubert", admin=True)
        slots = {
            ("own key", "openai", "OPENAI_API_KEY", ""): "sk-canary-own/key+0123456789=",
            ("shared key", "gemini", "GEMINI_API_KEY", "?scope=shared"): "AIza-canary-shared-0123456789",
            ("headers", "anthropic", "ANTHROPIC_CUSTOM_HEADERS", "?scope=shared"): "X-Pass: canary-header-0123456789",
        }
        for (name, provider, variable, scope), value in slots.items():
            hubert.change(
                "PUT", f"/api/config/provider-credentials{scope}",
                {"provider": provider, "name": variable, "value": value}, expect=204)
            canary[name] = value.removeprefix("X-Pass: ")
        canary["own fly token"] = "FlyV1 fm2_canary-own-0123456789"
        hubert.change("PUT", "/api/config/fly", {"token": canary["own fly token"], "app": "canary-runs"}, expect=204)

        person = Person(stack)
        issue = person.new_issue("Canaries")
        seen = []
        for command in ["@porter demo\ndo: write canary.txt x", "@porter codex nothing works here", "@porter help"]:
            answer = person.ask(command, issue)
            seen.append(answer)
        # What an agent or a person writes into a log or a comment passes the same way.
        echo = person.start("@porter demo\ndo: say " + canary["own key"], issue)
        running = of_this_stack(stack)
        stack.wait_for_ending(echo)
        for task in stack.tasks():
            stack.wait_for_ending(task["id"])
        for kind in ["openai", "gemini", "fly", "github"]:
            seen.append(hubert.change("POST", f"/api/config/validate/{kind}"))
        assert stack.watchdog() == 0
        subprocess.run(
            [str(stack.programs / "porterctl"), "check"], env=stack.environment, capture_output=True, timeout=60,
            check=False)
        for path in [
            "/api/config", "/api/config?scope=shared", "/api/config/provider-credentials",
            "/api/config/provider-credentials?scope=shared", "/api/config/providers", "/api/agents",
            "/api/startup/check", "/api/rate-limit", "/api/github/summary", "/api/github/repositories",
            "/api/github/installations", "/api/github/orgs", "/api/github/profile",
            f"/api/github/issues/octo-team/hello/{issue}",
        ]:
            seen.append(hubert.get(path))
        for task in stack.tasks():
            seen += [stack.get(f"/api/tasks/{task['id']}{rest}")[1] for rest in ["", "/log", "/status"]]
        seen += [stack.get("/metrics")[1], stack.get("/readyz")[1], person.ours(issue)]

        found = traces("answers and comments", repr(seen).encode(), canary)
        for name, arguments, environment in running + of_this_stack(stack):
            found += traces(f"arguments of {name}", arguments, canary)
            if name not in OWN:
                found += traces(f"environment of {name}", environment, canary)
        files = [stack.database, *(stack.database.parent.glob("porter.sqlite-*"))]
        for path in [one for one in files if one.is_file()]:
            data = path.read_bytes()
            # The command of a person who wrote a secret into a comment is the person's own words.
            written = {name: value for name, value in canary.items() if name != "own key"}
            found += traces(path.name, data, written)
    for path in (folder / "logs").iterdir():
        found += traces(f"the log {path.name}", path.read_bytes(), canary)
    assert not found, found
