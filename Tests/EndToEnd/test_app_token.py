"""The App's JSON web token, checked by a foreign library as GitHub would."""

import json
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import jwt

from stack import programs_folder


class Verifier(BaseHTTPRequestHandler):
    """Answers `GET /app` to a token that PyJWT accepts, and notes what is in it."""

    public_key = ""
    seen: list = []

    def do_GET(self):
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(token, self.public_key, algorithms=["RS256"], options={"require": ["iat", "exp", "iss"]})
        except jwt.PyJWTError as error:
            self.send(401, {"message": f"A JSON web token could not be decoded: {error}"})
            return
        self.seen.append((header, claims))
        owner = {"id": 1, "login": "acme"}
        if self.path == "/app":
            self.send(200, {"id": 101, "slug": "porter", "owner": owner})
        else:
            self.send(200, {"id": 9, "login": "porter[bot]"})

    def send(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


def test_pyjwt_accepts_the_token_and_finds_what_github_wants(folder):
    key = folder / "app.pem"
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    Verifier.public_key = subprocess.run(
        ["openssl", "rsa", "-in", str(key), "-pubout"], check=True, capture_output=True, text=True).stdout
    Verifier.seen = []
    server = HTTPServer(("127.0.0.1", 0), Verifier)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        done = subprocess.run(
            [str(programs_folder() / "porterctl"), "check"], capture_output=True, text=True, timeout=60, check=False,
            env={
                "PATH": "/usr/bin:/bin", "PORTER_PUBLIC_URL": "http://127.0.0.1:1",
                "PORTER_SECRET_KEYS": "k:" + "A" * 43 + "=", "PORTER_DATABASE": str(folder / "porter.sqlite"),
                "PORTER_GITHUB_APP_ID": "101", "PORTER_GITHUB_APP_PRIVATE_KEY_FILE": str(key),
                "PORTER_GITHUB_CLIENT_ID": "Iv1.x", "PORTER_GITHUB_CLIENT_SECRET": "c" * 40,
                "PORTER_GITHUB_WEBHOOK_SECRET": "w" * 40, "PORTER_GITHUB_URL": "http://127.0.0.1:1",
                "PORTER_GITHUB_API_URL": f"http://127.0.0.1:{server.server_port}",
                "PORTER_RUNNER_SOCKET": str(folder / "none.sock"),
            })
    finally:
        server.shutdown()
        server.server_close()
    assert "ok      GitHub App: porter of acme" in done.stdout, done.stdout + done.stderr
    assert Verifier.seen
    for header, claims in Verifier.seen:
        assert header == {"alg": "RS256", "typ": "JWT"}
        assert claims["iss"] == "101"
        assert claims["exp"] - claims["iat"] <= 600 and claims["exp"] <= time.time() + 600
        assert time.time() - 120 <= claims["iat"] <= time.time()
