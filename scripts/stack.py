"""Porter whole, on this one machine: nginx, porter-fcgi, porter-runner, porter-watchdog and the playground.

The demo, `make run` and the end-to-end tests use it. Nothing here is a stand-in for a part of Porter: the
programs are the real ones, behind the real nginx, with a real database; only GitHub and the model are the
playground's. Needs nothing but Python's standard library.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import json
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import nginx_conf  # noqa: E402  (they lie beside this file)
from ports import free_port  # noqa: E402

APP_ID = 101
CLIENT_ID = "playground-client"
CLIENT_SECRET = "playground-client-secret"
RUNNER_USER = "nobody"
FLY_APP = "porter-workers"
# Where pip puts the codex program.
CODEX_FOLDER = "lib/python3*/site-packages/codex_cli_bin/bin"


class StackError(Exception):
    """A part could not be started; the message names it and shows the end of its log."""

    def __init__(self, part: str, message: str):
        super().__init__(f"{part}: {message}")
        self.part = part


def programs_folder() -> Path:
    """Where the built programs are; PORTER_PROGRAMS overrides the release build."""
    chosen = os.environ.get("PORTER_PROGRAMS")
    return Path(chosen) if chosen else ROOT / ".build-release" / "release"


def wait_for(condition, what: str, seconds: float = 30.0, every: float = 0.05):
    """Polls until the condition is true and returns its value; TimeoutError names what was waited for."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(every)


def die_with_parent() -> None:
    """In the child: end when the parent does, however it ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def can_reach(path: Path) -> bool:
    """Whether every user may walk to the path and read what is there."""
    return all(
        parent.stat().st_mode & stat.S_IXOTH for parent in [path, *path.parents] if parent.is_dir()
    )


class Part:
    """One running program and its log."""

    def __init__(self, name: str, process: subprocess.Popen, log: Path):
        self.name = name
        self.process = process
        self.log = log

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def tail(self, lines: int = 12) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""

    def end(self, number: int = signal.SIGTERM, seconds: float = 10.0) -> int:
        if self.is_alive:
            self.process.send_signal(number)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
        return self.process.returncode


class Stack:
    """Starts and stops everything; a context manager.

    folder: gets the database, the playground's folder, logs and secrets, and is kept.
    settings: variables for porter-fcgi and porter-watchdog over the defaults.
    runner_settings: the same for porter-runner.
    agents: "demo" offers the demo agent; "codex" also starts the scripted model and takes the real codex.
    fly: machines are asked for through the playground's face of Fly, which has bad days; the runner runs them.
    watchdog_every: seconds between two passes; None for none (call `watchdog()` by hand).
    """

    def __init__(
        self, folder: Path, *, agents=("demo",), settings=None, runner_settings=None, watchdog_every=2.0,
        demo_agent: Path | None = None, model_arguments=(), worker: Path | None = None,
        webhook_secret_for_porter: str | None = None, without=(), fly=False,
    ):
        self.folder = Path(folder)
        self.agents = agents
        self.extra = settings or {}
        self.runner_extra = runner_settings or {}
        self.watchdog_every = watchdog_every
        self.demo_agent = demo_agent or ROOT / "Playground" / "agents" / "demo"
        self.model_arguments = list(model_arguments)
        self.worker = worker
        self.webhook_secret_for_porter = webhook_secret_for_porter
        self.without = set(without)
        self.fly = fly
        self.fly_url = ""
        self.parts: dict[str, Part] = {}
        self.programs = programs_folder()
        self.porter_url = ""
        self.github_url = ""
        self.model_url = ""
        self.listener: socket.socket | None = None
        self.watchdog_codes: list[int] = []
        self._stopping = threading.Event()
        self._timer: threading.Thread | None = None

    # -- life

    def __enter__(self) -> Stack:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def start(self) -> None:
        if not (self.programs / "porter-fcgi").exists():
            raise StackError("build", f"there is no porter-fcgi in {self.programs}: run `make build`")
        for name in ["logs", "secrets", "nginx", "github"]:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        # Sockets need short paths, and machines need folders that their user can walk to; a machine's /tmp is
        # its own.
        self.scratch = Path(tempfile.mkdtemp(prefix="porter-", dir="/var/tmp"))
        self.scratch.chmod(0o755)
        self._make_secrets()
        self.port = free_port()
        self.porter_url = f"http://127.0.0.1:{self.port}"
        self.start_github()
        if "codex" in self.agents or "claude" in self.agents:
            self.start_model()
        if "porter-runner" not in self.without:
            self.start_runner()
        if self.fly:
            self.start_fly()
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(str(self.fcgi_socket))
        self.listener.listen(1024)
        self.start_fcgi()
        self.start_nginx()
        if self.watchdog_every is not None:
            self._timer = threading.Thread(target=self._run_watchdog, daemon=True)
            self._timer.start()

    def stop(self) -> None:
        """Ends everything in an order that loses nothing, and removes what is not worth keeping."""
        self._stopping.set()
        if self._timer:
            self._timer.join(60)
        for name in ["nginx", "porter-fcgi"]:
            self.end(name)
        runner = self.parts.get("porter-runner")
        if runner and runner.is_alive:
            runner.process.send_signal(signal.SIGTERM)
            # A second one ends it at once, with whatever still runs.
            with contextlib.suppress(subprocess.TimeoutExpired):
                runner.process.wait(3)
            self.end("porter-runner")
        for name in ["fly", "model", "github"]:
            self.end(name)
        if self.listener:
            self.listener.close()
        if hasattr(self, "scratch"):
            shutil.rmtree(self.scratch, ignore_errors=True)

    def end(self, name: str, number: int = signal.SIGTERM) -> int | None:
        part = self.parts.pop(name, None)
        return part.end(number) if part else None

    def kill(self, name: str) -> None:
        """Ends a part as a power cut would, without a chance to say anything."""
        part = self.parts.pop(name)
        part.process.kill()
        part.process.wait(10)

    # -- paths

    @property
    def fcgi_socket(self) -> Path:
        return self.scratch / "fcgi.sock"

    @property
    def runner_socket(self) -> Path:
        return self.scratch / "runner.sock"

    @property
    def runner_state(self) -> Path:
        return self.scratch / "runner"

    @property
    def database(self) -> Path:
        return self.folder / "porter.sqlite"

    @property
    def effects_log(self) -> Path:
        return self.folder / "github" / "effects.jsonl"

    def repository(self, name: str) -> Path:
        return self.folder / "github" / "repositories" / f"{name}.git"

    # -- parts

    def _spawn(self, name: str, command: list, environment: dict, **options) -> Part:
        log = self.folder / "logs" / f"{name}.log"
        with open(log, "ab") as file:
            process = subprocess.Popen(
                [str(word) for word in command], env=environment, stderr=file, start_new_session=True,
                preexec_fn=die_with_parent, cwd="/",
                **{"stdin": subprocess.DEVNULL, "stdout": file, **options})
        part = Part(name, process, log)
        self.parts[name] = part
        return part

    def _await(self, part: Part, condition, what: str, seconds: float = 20.0):
        def look():
            if not part.is_alive:
                raise StackError(part.name, f"it ended with code {part.process.returncode}\n{part.tail()}")
            return condition()

        try:
            return wait_for(look, what, seconds)
        except TimeoutError as error:
            raise StackError(part.name, f"{error}\n{part.tail()}") from None

    def _make_secrets(self) -> None:
        folder = self.folder / "secrets"
        folder.chmod(0o700)
        key = folder / "app.pem"
        if not key.exists():
            subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
        self.webhook_secret = self._secret("webhook")
        self.operator_token = self._secret("operator")
        self.model_key = self._secret("model")
        self.keys = self._secret("keys", lambda: "k1:" + base64.b64encode(secrets.token_bytes(32)).decode())

    def _secret(self, name: str, make=lambda: secrets.token_hex(24)) -> str:
        path = self.folder / "secrets" / name
        if not path.exists():
            path.write_text(make())
            path.chmod(0o600)
        return path.read_text()

    def _playground(self, name: str, arguments: list) -> str:
        """Starts a face of the playground and returns the address that it prints."""
        log = self.folder / "logs" / f"{name}.log"
        output = self.folder / "logs" / f"{name}.address"
        with open(output, "wb") as file:
            part = self._spawn(
                name, [self.programs / "porter-playground", *arguments], self._plain_environment(), stdout=file)
        part.log = log
        return self._await(
            part, lambda: output.read_text().split("\n")[0] if "\n" in output.read_text() else None,
            f"the address of the playground's {name}")

    def start_github(self) -> None:
        secret = self.folder / "secrets" / "webhook"
        self.github_url = self._playground(
            "github",
            [
                "github", "--folder", self.folder / "github", "--app-key", self.folder / "secrets" / "app.pem",
                "--webhook-secret-file", secret, "--webhook-url", f"{self.porter_url}/api/webhooks/github",
                "--app-id", APP_ID, "--client-id", CLIENT_ID, "--client-secret", CLIENT_SECRET,
            ])

    def start_model(self) -> None:
        self.model_url = self._playground(
            "model",
            [
                "model", "--key", self.model_key, "--log", self.folder / "logs" / "model-requests.jsonl",
                *self.model_arguments,
            ])

    def start_fly(self) -> None:
        self._secret("fly")
        self.fly_url = self._playground(
            "fly",
            [
                "machines", "--app", FLY_APP, "--token-file", self.folder / "secrets" / "fly",
                "--runner", self.runner_socket, "--boot", 0, "--settle", 0,
            ])

    def start_runner(self) -> None:
        self.runner_state.mkdir(exist_ok=True)
        self.runner_state.chmod(0o755)
        environment = self._plain_environment() | {
            "PORTER_RUNNER_SOCKET": str(self.runner_socket), "STATE_DIRECTORY": str(self.runner_state),
            "PORTER_RUNNER_USER": RUNNER_USER,
            "PORTER_WORKER_COMMAND": str(self.worker or self.programs / "porter-worker"),
            "PORTER_LOG_LEVEL": "info",
        }
        if "codex" in self.agents:
            environment["PORTER_AGENT_PATH"] = str(self._codex_folder())
        environment |= self.runner_extra
        part = self._spawn("porter-runner", [self.programs / "porter-runner"], environment)
        self._await(part, self.runner_socket.exists, "porter-runner's socket")

    def _codex_folder(self) -> Path:
        found = sorted((ROOT / ".venv-agents").glob(CODEX_FOLDER))
        if not found:
            raise StackError("codex", "the real CLI is not installed: run `make setup`")
        if not found[0].is_relative_to("/tmp") and (os.geteuid() != 0 or can_reach(found[0])):
            return found[0]
        # The checkout lies where the machines cannot see it: give them a copy.
        copy = self.scratch / "agents"
        if not copy.exists():
            shutil.copytree(found[0], copy)
            for path in [copy, *copy.rglob("*")]:
                path.chmod(0o755)
        return copy

    def _demo_program(self) -> Path:
        copy = self.scratch / "demo-agent"
        if not copy.exists():
            shutil.copyfile(self.demo_agent, copy)
            copy.chmod(0o755)
        return copy

    @staticmethod
    def _plain_environment() -> dict:
        return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}

    @property
    def environment(self) -> dict:
        """What porter-fcgi, porter-watchdog and porterctl get."""
        folder = self.folder / "secrets"
        webhook = {"PORTER_GITHUB_WEBHOOK_SECRET_FILE": str(folder / "webhook")}
        if self.webhook_secret_for_porter is not None:
            webhook = {"PORTER_GITHUB_WEBHOOK_SECRET": self.webhook_secret_for_porter}
        environment = self._plain_environment() | webhook | {
            "PORTER_PUBLIC_URL": self.porter_url,
            "PORTER_SECRET_KEYS_FILE": str(folder / "keys"),
            "PORTER_GITHUB_APP_ID": str(APP_ID),
            "PORTER_GITHUB_APP_PRIVATE_KEY_FILE": str(folder / "app.pem"),
            "PORTER_GITHUB_CLIENT_ID": CLIENT_ID,
            "PORTER_GITHUB_CLIENT_SECRET": CLIENT_SECRET,
            "PORTER_GITHUB_URL": self.github_url,
            "PORTER_GITHUB_API_URL": f"{self.github_url}/api/v3",
            "PORTER_DATABASE": str(self.database),
            "PORTER_OPERATOR_TOKEN_FILE": str(folder / "operator"),
            "PORTER_RUNNER_SOCKET": str(self.runner_socket),
            "PORTER_TASKS_TOTAL": "4",
            "PORTER_LOG_LEVEL": "info",
        }
        if self.fly:
            environment |= {
                "PORTER_EXECUTOR": "fly", "PORTER_FLY_API_URL": f"{self.fly_url}/v1", "PORTER_FLY_APP": FLY_APP,
                "PORTER_FLY_TOKEN_FILE": str(folder / "fly"), "PORTER_WORKER_IMAGE": "registry.example/worker:1",
            }
        if "demo" in self.agents:
            environment["PORTER_DEMO_AGENT"] = str(self._demo_program())
        if "codex" in self.agents:
            environment["PORTER_KEY_OPENAI_API_KEY"] = self.model_key
            environment["PORTER_KEY_OPENAI_BASE_URL"] = f"{self.model_url}/v1"
        if "claude" in self.agents:
            environment["PORTER_KEY_ANTHROPIC_API_KEY"] = self.model_key
            environment["PORTER_KEY_ANTHROPIC_BASE_URL"] = self.model_url
        return environment | self.extra

    def start_fcgi(self, name: str = "porter-fcgi", environment: dict | None = None) -> Part:
        """Starts a responder on the inherited socket; several may run side by side under other names.

        environment: variables of this one process over those that all have.
        """
        log = self.folder / "logs" / f"{name}.log"
        # What an earlier process of that name said does not count.
        offset = log.stat().st_size if log.exists() else 0
        part = self._spawn(
            name, [self.programs / "porter-fcgi"], self.environment | (environment or {}), stdin=self.listener)
        self._await(part, lambda: b"serving" in log.read_bytes()[offset:], "porter-fcgi to serve")
        return part

    def start_nginx(self) -> None:
        prefix = self.folder / "nginx"
        conf = nginx_conf.render(
            prefix=prefix, socket=self.fcgi_socket, port=self.port, public=ROOT / "public")
        (prefix / "nginx.conf").write_text(conf)
        part = self._spawn(
            "nginx", ["nginx", "-p", f"{prefix}/", "-c", prefix / "nginx.conf", "-g", "daemon off;"],
            self._plain_environment())
        self._await(part, lambda: self.get("/healthz")[0] == 200, "nginx to answer")

    # -- the watchdog

    def watchdog(self, environment: dict | None = None) -> int:
        """One pass; its exit code.

        environment: variables of this pass over those that all have.
        """
        log = self.folder / "logs" / "porter-watchdog.log"
        with open(log, "ab") as file:
            done = subprocess.run(
                [str(self.programs / "porter-watchdog")], env=self.environment | (environment or {}),
                stdin=subprocess.DEVNULL, stdout=file, stderr=file, timeout=120, check=False)
        self.watchdog_codes.append(done.returncode)
        return done.returncode

    def _run_watchdog(self) -> None:
        while not self._stopping.wait(self.watchdog_every):
            self.watchdog()

    # -- from outside

    def request(self, method: str, url: str, body=None, headers=None, timeout: float = 30.0):
        """(status, parsed JSON or text, headers) of one call."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
        if data is not None and not request.has_header("Content-type"):
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                return response.status, _parsed(response.read()), dict(response.headers)
        except urllib.error.HTTPError as error:
            return error.code, _parsed(error.read()), dict(error.headers)
        except (urllib.error.URLError, OSError) as error:
            return 0, str(error), {}

    def get(self, path: str, **options):
        """A call to Porter through nginx, with the operator's token."""
        headers = {"Authorization": f"Bearer {self.operator_token}"}
        return self.request("GET", self.porter_url + path, headers=headers, **options)

    def control(self, method: str, path: str, body=None, face="github"):
        """A call to the control interface of the playground's GitHub or Fly; anything but 2xx is an error."""
        url = self.fly_url if face == "fly" else self.github_url
        status, answer, _ = self.request(method, f"{url}/_playground{path}", body)
        if not 200 <= status < 300:
            raise StackError(face, f"{method} {path}: {status} {answer}")
        return answer

    def comment(self, text: str, *, author="hubert", issue=1, repository="octo-team/hello", wait=True, **more):
        """Writes a comment as a person: its id, and how its delivery went (`guid`, `status`, `answer`)."""
        body = {"repository": repository, "issue": issue, "author": author, "body": text, "wait": wait}
        made = self.control("POST", "/comments", body | more)
        return {"comment": made["id"], "delivery": delivery_of(made["delivery"])}

    def effects(self) -> list[dict]:
        return read_effects(self.effects_log)

    def tasks(self) -> list[dict]:
        status, answer, _ = self.get("/api/tasks?limit=100")
        if status != 200:
            raise StackError("porter-fcgi", f"GET /api/tasks: {status} {answer}")
        return answer["tasks"]

    def task(self, task_id: str) -> dict:
        status, answer, _ = self.get(f"/api/tasks/{task_id}")
        if status != 200:
            raise StackError("porter-fcgi", f"GET /api/tasks/{task_id}: {status} {answer}")
        return answer

    def wait_for_task(self, task_id: str, condition, what: str, seconds: float = 90.0) -> dict:
        def look():
            status, task, _ = self.get(f"/api/tasks/{task_id}")
            return task if status == 200 and condition(task) else None

        try:
            return wait_for(look, what, seconds, every=0.1)
        except TimeoutError as error:
            seen = self.get(f"/api/tasks/{task_id}")
            raise TimeoutError(f"{error}; the task is {json.dumps(seen[1], indent=1)}") from None

    def wait_for_ending(self, task_id: str, seconds: float = 120.0) -> dict:
        """Waits until the issue shows the ending and the status comment is folded."""
        return self.wait_for_task(
            task_id, lambda task: task["published_at"] is not None, f"the ending of {task_id}", seconds)

    def rows(self, sql: str, *arguments) -> list[sqlite3.Row]:
        return read_rows(self.database, sql, *arguments)


def delivery_of(answer: dict | None) -> dict | None:
    """A delivery as the control interface shows it, with the receiver's status as a number."""
    if answer is None:
        return None
    return {"guid": answer["guid"], "status": answer.get("status_code"), "answer": answer.get("answer")}


def read_effects(path: Path) -> list[dict]:
    if not path.exists():
        return []
    lines = path.read_text().split("\n")
    # The last line may be half written.
    return [json.loads(line) for line in lines[:-1] if line]


def read_rows(path: Path, sql: str, *arguments) -> list[sqlite3.Row]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)
    connection.row_factory = sqlite3.Row
    try:
        return connection.execute(sql, arguments).fetchall()
    finally:
        connection.close()


def _parsed(data: bytes):
    try:
        return json.loads(data)
    except ValueError:
        return data.decode(errors="replace")
