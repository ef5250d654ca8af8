"""Ports for servers under test."""

import random
import socket

# Below Linux's range for outgoing connections (32768 to 60999), so that none of those takes the port between this
# look and the server's start. https://www.kernel.org/doc/html/latest/networking/ip-sysctl.html
FIRST, LAST = 10_240, 32_767


def free_port() -> int:
    """A port of the loopback address on which nobody listens now."""
    while True:
        port = random.randint(FIRST, LAST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
