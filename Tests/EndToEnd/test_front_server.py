"""nginx in front of a real porter-fcgi: every face, and what nginx itself answers for Porter.

Needs nothing but nginx, openssl and the built programs; GitHub and the engine are never reached.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import re
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import nginx_conf  # noqa: E402
from ports import free_port  # noqa: E402

WEBHOOK_SECRET = "front-webhook-secret"
OPERATOR_TOKEN = "front-operator-token"
WEBHOOK_LIMIT = 26_214_400
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass
class Answer:
    status: int
    fields: dict[str, list[str]]
    body: bytes

    @property
    def json(self) -> dict:
        return json.loads(self.body)

    def only(self, name: str) -> str:
        """The one value of a field that must be there once."""
        values = self.fields.get(name.lower(), [])
        assert len(values) == 1, f"{name}: {values}"
        return values[0]


@dataclass
class Front:
    """A running nginx, and where it listens."""

    port: int
    folder: Path
    certificate: Path | None = None
    http_port: int | None = None

    def connect(self) -> http.client.HTTPConnection:
        if self.certificate:
            context = ssl.create_default_context(cafile=str(self.certificate))
            return http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=30)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def ask(self, method: str, path: str, body: bytes | None = None, **fields: str) -> Answer:
        return answer(self.connect(), method, path, body, {k.replace("_", "-"): v for k, v in fields.items()})

    def deliver(self, body: bytes, event: str = "ping") -> Answer:
        signature = hmac.new(WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
        return self.ask(
            "POST", "/api/webhooks/github", body, Content_Type="application/json", X_GitHub_Event=event,
            X_GitHub_Delivery=secrets.token_hex(8), X_Hub_Signature_256=f"sha256={signature}")


def answer(connection, method: str, path: str, body: bytes | None, fields: dict[str, str]) -> Answer:
    with contextlib.closing(connection):
        # A server that has seen enough answers early and stops reading.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, path, body=body, headers=fields)
        response = connection.getresponse()
        got: dict[str, list[str]] = {}
        for name, value in response.getheaders():
            got.setdefault(name.lower(), []).append(value)
        return Answer(response.status, got, response.read())


@contextlib.contextmanager
def running(command: list[str], **options):
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until(condition, what: str, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come about within {seconds} s"
        time.sleep(0.02)


def program(name: str) -> str:
    folder = os.environ.get("PORTER_PROGRAMS")
    folders = [Path(folder)] if folder else [ROOT / ".build-release/release", ROOT / ".build/debug"]
    for candidate in folders:
        if (candidate / name).exists():
            return str(candidate / name)
    raise AssertionError(f"{name} is not built: run `make build`")


@contextlib.contextmanager
def porter(folder: Path):
    """A porter-fcgi with a socket in the folder and everything else out of reach."""
    key = folder / "app.pem"
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    environment = {
        "PORTER_PUBLIC_URL": "http://127.0.0.1:1",
        "PORTER_SECRET_KEYS": "k1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
        "PORTER_GITHUB_APP_ID": "1",
        "PORTER_GITHUB_APP_PRIVATE_KEY_FILE": str(key),
        "PORTER_GITHUB_CLIENT_ID": "front",
        "PORTER_GITHUB_CLIENT_SECRET": "front-client-secret",
        "PORTER_GITHUB_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "PORTER_GITHUB_API_URL": "http://127.0.0.1:1",
        "PORTER_OPERATOR_TOKEN": OPERATOR_TOKEN,
        "PORTER_DATABASE": str(folder / "porter.sqlite"),
        "PORTER_FCGI_SOCKET": str(folder / "fcgi.sock"),
        "PORTER_RUNNER_SOCKET": str(folder / "no-runner.sock"),
        "PORTER_LOG_LEVEL": "warning",
    }
    with open(folder / "porter.log", "wb") as log:
        with running([program("porter-fcgi")], env=environment, stderr=log) as process:
            def is_up() -> bool:
                assert process.poll() is None, (folder / "porter.log").read_text()
                return (folder / "fcgi.sock").exists()

            wait_until(is_up, "the responder's socket")
            yield process


@contextlib.contextmanager
def nginx(folder: Path, text: str, port: int):
    prefix = folder / "nginx"
    conf = prefix / "nginx.conf"
    conf.write_text(text)
    command = ["nginx", "-p", str(prefix), "-e", str(prefix / "error.log"), "-c", str(conf), "-g", "daemon off;"]
    with running(command) as process:
        def is_up() -> bool:
            assert process.poll() is None, (prefix / "error.log").read_text()
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        wait_until(is_up, "nginx")
        yield


def make_certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True)
    return certificate, key


@pytest.fixture(scope="module", params=["development", "development with TLS", "production site"])
def front(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("front")
    (folder / "nginx").mkdir()
    port, http_port = free_port(), free_port()
    certificate = None
    if request.param == "development":
        text = nginx_conf.render(folder / "nginx", folder / "fcgi.sock", port)
    else:
        certificate, key = make_certificate(folder)
        if request.param == "production site":
            text = nginx_conf.render_site(
                folder / "nginx", folder / "fcgi.sock", http_port, port, certificate, key)
        else:
            text = nginx_conf.render(folder / "nginx", folder / "fcgi.sock", port, tls=(certificate, key))
    with porter(folder), nginx(folder, text, port):
        yield Front(port, folder, certificate, http_port if request.param == "production site" else None)


@pytest.fixture(scope="module")
def orphan(tmp_path_factory):
    """nginx without anything behind it."""
    folder = tmp_path_factory.mktemp("orphan")
    (folder / "nginx").mkdir()
    port = free_port()
    with nginx(folder, nginx_conf.render(folder / "nginx", folder / "fcgi.sock", port), port):
        yield Front(port, folder)


def test_operations_are_answered_by_porter(front):
    assert front.ask("GET", "/healthz").json["status"] == "ok"
    assert front.ask("GET", "/readyz").status in (200, 503)
    assert front.ask("GET", "/metrics").status == 401
    metrics = front.ask("GET", "/metrics", Authorization=f"Bearer {OPERATOR_TOKEN}")
    assert metrics.status == 200 and b"# TYPE" in metrics.body
    assert front.ask("GET", "/api/tasks", Authorization=f"Bearer {OPERATOR_TOKEN}").json["tasks"] == []
    assert front.ask("POST", "/api/callbacks/claim", b"{}").status == 401
    missing = front.ask("GET", "/api/nowhere")
    assert missing.status == 404 and missing.json["error"] == "not_found"


def test_the_webhook_takes_a_signed_post_and_nothing_else(front):
    assert front.deliver(b'{"zen": "Keep it logically awesome."}').status == 200
    assert front.ask("POST", "/api/webhooks/github", b"{}").status == 401
    refused = front.ask("GET", "/api/webhooks/github")
    assert refused.status == 405 and refused.only("Allow") == "POST"


def test_a_body_of_the_limit_is_taken_and_one_byte_more_is_413(front):
    whole = b'{"zen": "' + b"a" * (WEBHOOK_LIMIT - 11) + b'"}'
    assert len(whole) == WEBHOOK_LIMIT
    assert front.deliver(whole).status == 200
    refused = front.deliver(whole + b" ")
    assert refused.status == 413
    assert refused.json["error"] == "too_large" and refused.json["message"]
    assert refused.only("Content-Type").startswith("application/json")


def test_other_faces_refuse_large_bodies_as_json(front):
    refused = front.ask("POST", "/api/tasks", b"a" * (1024 * 1024 + 1))
    assert refused.status == 413 and refused.json["error"] == "too_large"


def test_a_chunked_body_reaches_porter_whole(front):
    body = b'{"zen": "chunks"}'
    signature = hmac.new(WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
    connection = front.connect()
    with contextlib.closing(connection):
        connection.request(
            "POST", "/api/webhooks/github", body=iter([body[:5], body[5:]]), encode_chunked=True,
            headers={"Transfer-Encoding": "chunked", "Content-Type": "application/json",
                     "X-GitHub-Event": "ping", "X-GitHub-Delivery": secrets.token_hex(8),
                     "X-Hub-Signature-256": f"sha256={signature}"})
        assert connection.getresponse().status == 200


@pytest.mark.parametrize("path", ["/", "/help/", "/nowhere", "/healthz", "/api/nowhere", "/api/webhooks/github"])
def test_security_headers_are_on_every_answer_once(front, path):
    got = front.ask("GET", path)
    assert got.only("Content-Security-Policy") == POLICY
    assert got.only("X-Content-Type-Options") == "nosniff"
    assert got.only("Referrer-Policy") == "same-origin"
    assert got.only("Cache-Control") in ("no-store", "no-cache")
    assert got.only("Server") == "nginx"
    if front.http_port:
        assert got.only("Strict-Transport-Security") == "max-age=31536000"


@pytest.mark.parametrize("path", ["/", "/help/", "/help"])
def test_pages_are_served_with_and_without_the_slash(front, path):
    got = front.ask("GET", path)
    assert got.status == 200 and got.only("Content-Type").startswith("text/html")
    assert got.only("Cache-Control") == "no-cache"
    again = front.ask("GET", path, If_None_Match=got.only("ETag"))
    assert again.status == 304


def test_what_is_not_there_is_a_page_with_404(front):
    for path in ("/nowhere", "/.git/config", "/css/.hidden", "/css/", "/setup"):
        got = front.ask("GET", path)
        assert got.status == 404, path
        assert b"<!doctype html>" in got.body.lower(), path


@pytest.mark.parametrize("path", [
    "/../Package.swift", "/css/../../Package.swift", "/%2e%2e/Package.swift", "/css/%2e%2e%2f%2e%2e%2fPackage.swift",
    "//etc/passwd", "/css%00/"])
def test_no_path_leads_out_of_public(front, path):
    got = front.ask("GET", path)
    assert got.status in (400, 404)
    assert b"swift-tools-version" not in got.body and b"root:" not in got.body


@pytest.mark.parametrize("path", ["/api/tasks/%zz", "/api/%", "/api/tasks/%00", "/healthz/%zz", "/api/" + "a" * 9_000])
def test_a_request_that_cannot_be_read_is_refused_as_json(front, path):
    got = front.ask("GET", path)
    assert got.status in (400, 414)
    assert got.json["error"] == "bad_request" and got.json["message"]
    assert got.only("Content-Type").startswith("application/json")
    assert got.only("Content-Security-Policy") == POLICY
    assert got.only("Cache-Control") in ("no-store", "no-cache")


def test_a_header_and_a_body_that_cannot_be_read_are_refused_as_json(front):
    large = front.ask("GET", "/api/tasks", X_Large="a" * 9_000)
    assert large.status == 400 and large.json["error"] == "bad_request"
    for address in ("/api/callbacks/claim", "/api/webhooks/github", "/api/tasks"):
        got = front.ask("POST", address, b"no chunk\r\n", Transfer_Encoding="chunked")
        assert got.status == 400 and got.json["error"] == "bad_request", address
    odd = front.ask("POST", "/api/tasks", b"", Transfer_Encoding="odd")
    assert odd.status == 501 and odd.json["error"] == "bad_request"


def test_a_page_whose_address_cannot_be_read_is_a_page(front):
    got = front.ask("GET", "/help/%zz")
    assert got.status == 400 and b"<!doctype html>" in got.body.lower()


@pytest.mark.parametrize("method, path, allowed", [
    ("TRACE", "/api/webhooks/github", "POST"), ("TRACE", "/api/callbacks/claim", "POST"),
    ("TRACE", "/api/tasks", "GET, HEAD, POST"), ("TRACE", "/api/tasks/task_x/stop", "POST, PUT"),
    ("TRACE", "/api/tasks/task_x", "GET, HEAD"), ("TRACE", "/healthz", "GET, HEAD"), ("TRACE", "/", "GET, HEAD"),
    ("POST", "/help/", "GET, HEAD"), ("PUT", "/healthz", "GET, HEAD"), ("DELETE", "/api/webhooks/github", "POST")])
def test_a_method_that_is_not_taken_is_405_as_json_with_allow(front, method, path, allowed):
    got = front.ask(method, path)
    assert got.status == 405
    assert got.only("Allow") == allowed
    assert got.json["error"] == "method_not_allowed" and got.json["message"]


@pytest.mark.parametrize("path", ["/api", "/api/callbacks", "/api?a=b"])
def test_a_folder_of_the_interface_is_no_address_and_leads_nowhere(front, path):
    got = answer(front.connect(), "GET", path, None, {"Host": "evil.example"})
    assert got.status == 404 and got.json["error"] == "not_found"
    assert "location" not in got.fields


def test_a_made_up_host_changes_nothing(front):
    for host in ("evil.example", "evil.example:80", "localhost@evil.example"):
        got = answer(front.connect(), "GET", "/healthz", None, {"Host": host})
        assert got.status in (200, 400)
        assert b"evil" not in got.body and "evil" not in str(got.fields)


def test_plain_http_leads_to_the_configured_name_only(front):
    if not front.http_port:
        pytest.skip("only the production site listens for plain HTTP")
    plain = http.client.HTTPConnection("127.0.0.1", front.http_port, timeout=10)
    got = answer(plain, "POST", "/api/tasks?a=b", b"{}", {"Host": "evil.example"})
    assert got.status == 308
    assert got.only("Location") == "https://porter.example.org/api/tasks?a=b"


def test_the_log_holds_no_query(front):
    front.ask("GET", "/api/nowhere?code=sign-in-code")
    logs = [front.folder / "nginx" / name for name in ("access.log", "porter.log")]
    wait_until(lambda: any("/api/nowhere" in log.read_text() for log in logs if log.exists()), "a line in the log")
    assert all("sign-in-code" not in log.read_text() for log in logs if log.exists())


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/api/tasks", "/api/callbacks/claim",
                                  "/api/webhooks/github"])
def test_without_porter_interfaces_answer_json(orphan, path):
    got = orphan.ask("GET", path)
    assert got.status == 502
    assert got.json["error"] == "unavailable" and got.json["message"]
    assert got.only("Retry-After") == "5"
    assert got.only("Content-Security-Policy") == POLICY


def test_without_porter_people_get_a_page(orphan):
    got = orphan.ask("GET", "/setup")
    assert got.status == 502 and b"<!doctype html>" in got.body.lower()
    assert orphan.ask("GET", "/").status == 200


def test_the_webhook_is_never_limited(front):
    statuses = {front.ask("POST", "/api/webhooks/github", b"{}").status for _ in range(300)}
    assert statuses == {401}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/api/tasks", "/api/callbacks/claim",
                                  "/api/webhooks/github"])
def test_a_porter_that_never_answers_is_504_as_json(silent, path):
    got = silent.ask("GET", path)
    assert got.status == 504
    assert got.json["error"] == "unavailable" and got.json["message"]
    assert got.only("Content-Type").startswith("application/json")
    assert got.only("Retry-After") == "5"


@pytest.fixture(scope="module")
def silent(tmp_path_factory):
    """nginx before a socket that takes connections and says nothing; its patience is a second everywhere."""
    folder = tmp_path_factory.mktemp("silent")
    (folder / "nginx").mkdir()
    snippets = folder / "snippets"
    shutil.copytree(ROOT / "nginx" / "snippets", snippets)
    for snippet in snippets.iterdir():
        text = snippet.read_text()
        snippet.write_text(re.sub(r"(fastcgi_read_timeout +)\d+s;", r"\g<1>1s;", text))
    port = free_port()
    text = nginx_conf.render(folder / "nginx", folder / "fcgi.sock", port)
    text = text.replace(str(ROOT / "nginx" / "snippets"), str(snippets))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "fcgi.sock"))
        listener.listen(64)
        with nginx(folder, text, port):
            yield Front(port, folder)


def test_a_guest_who_asks_too_often_gets_429_as_json(tmp_path):
    (tmp_path / "nginx").mkdir()
    port = free_port()
    text = nginx_conf.render(tmp_path / "nginx", tmp_path / "fcgi.sock", port)
    # The box itself is not counted; a client that says it is another one makes the test a guest.
    text = text.replace(
        "listen 127.0.0.1", "set_real_ip_from 127.0.0.1; real_ip_header X-Test-Address;\n listen 127.0.0.1", 1)
    with porter(tmp_path), nginx(tmp_path, text, port):
        front = Front(port, tmp_path)
        got = [front.ask("GET", "/api/nowhere", X_Test_Address="192.0.2.7") for _ in range(200)]
        assert {one.status for one in got} == {404, 429}
        refused = next(one for one in got if one.status == 429)
        assert refused.json["error"] == "too_many_requests" and refused.only("Retry-After") == "1"
        assert front.ask("GET", "/api/nowhere", X_Test_Address="192.0.2.8").status == 404
        assert all(front.ask("GET", "/api/nowhere").status == 404 for _ in range(200))

        ready = [front.ask("GET", "/readyz", X_Test_Address="192.0.2.9") for _ in range(60)]
        assert {one.status for one in ready} == {200, 429}
        assert next(one for one in ready if one.status == 429).json["error"] == "too_many_requests"
        assert {front.ask("GET", "/readyz").status for _ in range(60)} == {200}
