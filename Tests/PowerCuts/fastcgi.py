"""A FastCGI client that asks a responder directly, and by whose address an answer is known on the other side."""

from __future__ import annotations

import json
import os
import socket
import struct

BEGIN, PARAMS, STDIN, STDOUT, END = 1, 4, 5, 6, 3
LONGEST = 65_528


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack(">BBHHBx", 1, kind, 1, len(content), 0) + content


def _pair(name: str, value: str) -> bytes:
    def size(count: int) -> bytes:
        return bytes([count]) if count < 128 else struct.pack(">I", count | 0x8000_0000)

    one, other = name.encode(), value.encode()
    return size(len(one)) + size(len(other)) + one + other


def _request(method: str, path: str, body: bytes, fields: dict[str, str]) -> bytes:
    variables = {
        "REQUEST_METHOD": method, "REQUEST_URI": path, "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)), "REMOTE_ADDR": "127.0.0.1",
    } | {"HTTP_" + name.upper().replace("-", "_"): value for name, value in fields.items()}
    parts = [
        _record(BEGIN, struct.pack(">HB5x", 1, 0)),
        _record(PARAMS, b"".join(_pair(name, value) for name, value in variables.items())), _record(PARAMS, b""),
    ]
    parts += [_record(STDIN, body[at:at + LONGEST]) for at in range(0, len(body), LONGEST)]
    return b"".join([*parts, _record(STDIN, b"")])


def _read(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise ConnectionError("the responder closed the connection")
        data += piece
    return data


def ask(address: str, number: int, method: str, path: str, body: bytes, fields: dict[str, str], seconds=60.0):
    """The status and the parsed body of one request, whose answer the other side records under the number.

    Raises OSError when the responder ends before it has answered.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(seconds)
        # Such addresses are the whole machine's; other processes count from 0, too.
        connection.bind(f"\0porter-act-{number}-{os.getpid()}")
        connection.connect(address)
        connection.sendall(_request(method, path, body, fields))
        answer = b""
        while True:
            _, kind, _, length, padding = struct.unpack(">BBHHBx", _read(connection, 8))
            content = _read(connection, length + padding)[:length]
            if kind == STDOUT:
                answer += content
            elif kind == END:
                break
    head, _, rest = answer.partition(b"\r\n\r\n")
    status = next(
        (int(line.split()[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"status:")), 200)
    try:
        return status, json.loads(rest)
    except ValueError:
        return status, rest
