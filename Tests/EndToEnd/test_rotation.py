"""Keys of the database: sealed by a foreign library, rotated by porterctl, killed on the way."""

import base64
import os
import random
import signal
import sqlite3
import struct
import subprocess
import time

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from stack import programs_folder

KEYS = {name: bytes([number]) * 32 for number, name in enumerate(["old", "new"], start=1)}
COUNT = 4000


def ring(*names: str) -> str:
    return ",".join(f"{name}:{base64.b64encode(KEYS[name]).decode()}" for name in names)


def bound(header: bytes, context: list[str]) -> bytes:
    parts = [struct.pack(">I", len(part.encode())) + part.encode() for part in context]
    return header + b"".join(parts)


def seal(name: str, value: str, context: list[str]) -> bytes:
    header = bytes([1, len(name)]) + name.encode()
    nonce = os.urandom(12)
    return header + nonce + AESGCM(KEYS[name]).encrypt(nonce, value.encode(), bound(header, context))


def opened(sealed: bytes, context: list[str]) -> tuple[str, str]:
    """The key's name and the value."""
    end = 2 + sealed[1]
    name = sealed[2:end].decode()
    value = AESGCM(KEYS[name]).decrypt(sealed[end:end + 12], sealed[end + 12:], bound(sealed[:end], context))
    return name, value.decode()


def context(number: int) -> list[str]:
    return ["secrets", "sealed", f"openai/KEY_{number}", f"user:{number % 50}"]


def environment(folder, keys: str) -> dict:
    return {
        "PATH": "/usr/bin:/bin", "PORTER_PUBLIC_URL": "http://127.0.0.1:1", "PORTER_SECRET_KEYS": keys,
        "PORTER_DATABASE": str(folder / "porter.sqlite"), "PORTER_LOG_LEVEL": "error",
    }


def porterctl(folder, keys: str, *arguments):
    return subprocess.run(
        [str(programs_folder() / "porterctl"), *arguments], env=environment(folder, keys), capture_output=True,
        text=True, timeout=120, check=False)


def fill(folder) -> None:
    porterctl(folder, ring("old"), "tasks")
    now = int(time.time() * 1000)
    rows = [
        (f"user:{n % 50}", "openai", f"KEY_{n}", seal("old", f"value-{n}", context(n)), now) for n in range(COUNT)
    ]
    with sqlite3.connect(folder / "porter.sqlite") as database:
        database.executemany(
            "INSERT INTO secrets (scope, provider, name, sealed, updated_at) VALUES (?, ?, ?, ?, ?)", rows)
    database.close()


def names(folder) -> list[str]:
    """The key that each value is sealed with now, after all have been opened by the foreign library."""
    database = sqlite3.connect(f"file:{folder}/porter.sqlite?mode=ro", uri=True, timeout=20)
    rows = database.execute("SELECT name, sealed FROM secrets").fetchall()
    database.close()
    assert len(rows) == COUNT
    found = []
    for name, sealed in rows:
        number = int(name.removeprefix("KEY_"))
        key, value = opened(sealed, context(number))
        assert value == f"value-{number}"
        found.append(key)
    return found


def test_a_rotation_that_is_killed_again_and_again_loses_nothing_and_comes_to_its_end(folder):
    fill(folder)
    kills = 0
    randomness = random.Random(5)
    while True:
        started = subprocess.Popen(
            [str(programs_folder() / "porterctl"), "rotate-keys"], env=environment(folder, ring("new", "old")),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            output, errors = started.communicate(timeout=randomness.uniform(0.01, 0.3) + kills * 0.15)
        except subprocess.TimeoutExpired:
            started.send_signal(signal.SIGKILL)
            started.communicate()
            kills += 1
            names(folder)
            continue
        assert started.returncode == 0, errors
        break
    assert kills >= 3, "the machine is too fast for this test: raise COUNT"
    assert set(names(folder)) == {"new"}
    assert b"can be taken out" in output
    done = porterctl(folder, ring("new"), "rotate-keys")
    assert done.returncode == 0 and "0 values sealed anew" in done.stdout, done.stdout


def test_a_missing_key_is_told_and_nothing_is_changed(folder):
    fill(folder)
    done = porterctl(folder, ring("new"), "rotate-keys")
    assert done.returncode == 1
    assert 'sealed with the key "old"' in done.stderr and "add that key" in done.stderr
    assert set(names(folder)) == {"old"}
    checked = porterctl(folder, ring("new"), "check")
    assert "PROBLEM secrets" in checked.stdout and "value-" not in checked.stdout + checked.stderr


def test_a_key_with_another_value_opens_nothing(folder):
    fill(folder)
    KEYS["wrong"] = bytes([9]) * 32
    wrong = f"old:{base64.b64encode(KEYS['wrong']).decode()}"
    checked = porterctl(folder, wrong, "check")
    assert "PROBLEM secrets" in checked.stdout and "another value" in checked.stdout
    assert set(names(folder)) == {"old"}
