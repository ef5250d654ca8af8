#!/usr/bin/python3
"""Writes nginx configurations that need neither root nor /etc: for development, and to test the production site.

Usage: nginx_conf.py development PREFIX SOCKET PORT [--public FOLDER] [--tls CERTIFICATE KEY]
       nginx_conf.py site PREFIX SOCKET HTTP_PORT HTTPS_PORT CERTIFICATE KEY [--public FOLDER]

Prints the configuration; nginx takes it by `nginx -p PREFIX -e PREFIX/error.log -c FILE -g "daemon off;"`. PREFIX is a folder
that exists; all that nginx writes lies in it.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NGINX = ROOT / "nginx"
# Characters that end a word or begin another meaning in nginx's language.
SPECIAL = re.compile(r"[\s;{}\"'\\$#]")


def render(
    prefix: str | Path,
    socket: str | Path,
    port: int,
    public: str | Path = ROOT / "public",
    tls: tuple[str | Path, str | Path] | None = None,
) -> str:
    """The development configuration: the production locations at 127.0.0.1:`port`.

    `tls` is a certificate and its key, both in PEM; without it the server speaks plain HTTP.
    """
    certificate = ""
    if tls:
        certificate = f"ssl_certificate {_word(tls[0])};\n        ssl_certificate_key {_word(tls[1])};\n"
        certificate += f"        include {_word(NGINX / 'snippets' / 'tls.conf')};"
    values = {
        "PREFIX": _word(prefix),
        "SOCKET": _word(socket),
        "PORT": _port(port),
        "PUBLIC": _word(public),
        "SNIPPETS": _word(NGINX / "snippets"),
        "LISTEN": " ssl http2" if tls else "",
        "TLS": certificate or "# Plain HTTP.",
        "USER": _user(),
    }
    template = (NGINX / "development.conf.in").read_text(encoding="utf-8")
    return re.sub(r"@([A-Z]+)@", lambda match: values[match.group(1)], template)


def render_site(
    prefix: str | Path,
    socket: str | Path,
    http_port: int,
    https_port: int,
    certificate: str | Path,
    key: str | Path,
    public: str | Path = ROOT / "public",
) -> str:
    """The production site within a small main configuration, on loopback ports.

    Only addresses and places are exchanged; each must be found, so that a change of the site is noticed here.
    """
    site = (NGINX / "porter.conf").read_text(encoding="utf-8")
    exchanges = {
        "listen 80;": f"listen 127.0.0.1:{_port(http_port)};",
        "listen [::]:80;": "",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{_port(https_port)} ssl http2;",
        "listen [::]:443 ssl http2;": "",
        "unix:/run/porter/fcgi.sock": f"unix:{_word(socket)}",
        "/etc/letsencrypt/live/porter.example.org/fullchain.pem": _word(certificate),
        "/etc/letsencrypt/live/porter.example.org/privkey.pem": _word(key),
        "root /usr/local/share/porter/public;": f"root {_word(public)};",
        "/var/log/nginx/porter.log": f"{_word(prefix)}/porter.log",
        "include porter/": f"include {_word(NGINX / 'snippets')}/",
    }
    for old, new in exchanges.items():
        if old not in site:
            raise ValueError(f"nginx/porter.conf no longer holds \"{old}\"")
        site = site.replace(old, new)
    place = _word(prefix)
    # As Debian's own nginx.conf includes a site.
    return f"""worker_processes 2;
pid {place}/nginx.pid;
error_log {place}/error.log notice;
{_user()}
events {{ worker_connections 512; }}
http {{
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log {place}/access.log;
    gzip on;
    client_body_temp_path {place}/client_body;
    fastcgi_temp_path {place}/fastcgi;
    proxy_temp_path {place}/proxy;
    scgi_temp_path {place}/scgi;
    uwsgi_temp_path {place}/uwsgi;
{site}
}}
"""


def _word(value: str | Path) -> str:
    """A path as one word of nginx's language."""
    text = str(value)
    if not text.startswith("/"):
        raise ValueError(f"\"{text}\" is no absolute path")
    if SPECIAL.search(text):
        raise ValueError(f"\"{text}\" holds characters that nginx would take for its own")
    return text


def _port(value: int) -> str:
    number = int(value)
    if not 0 < number < 65536:
        raise ValueError(f"{value} is no port")
    return str(number)


def _user() -> str:
    """As root, workers stay root: they must reach sockets in folders that only root may enter."""
    return "user root;" if os.getuid() == 0 else "# Without root there is no other user."


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    development = kinds.add_parser("development")
    development.add_argument("prefix", type=Path)
    development.add_argument("socket", type=Path)
    development.add_argument("port", type=int)
    development.add_argument("--public", type=Path, default=ROOT / "public")
    development.add_argument("--tls", type=Path, nargs=2, metavar=("CERTIFICATE", "KEY"))
    site = kinds.add_parser("site")
    site.add_argument("prefix", type=Path)
    site.add_argument("socket", type=Path)
    site.add_argument("http_port", type=int)
    site.add_argument("https_port", type=int)
    site.add_argument("certificate", type=Path)
    site.add_argument("key", type=Path)
    site.add_argument("--public", type=Path, default=ROOT / "public")
    given = parser.parse_args()

    try:
        if given.kind == "development":
            text = render(given.prefix, given.socket, given.port, given.public, given.tls)
        else:
            text = render_site(
                given.prefix, given.socket, given.http_port, given.https_port, given.certificate, given.key,
                given.public)
    except ValueError as error:
        print(f"nginx_conf: {error}", file=sys.stderr)
        return 64
    print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
