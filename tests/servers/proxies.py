"""nginx, Caddy and HAProxy from Debian, configured as the documentation says and with compression for everything.

``python -m tests.servers.proxies`` prints the Debian packages of those that are missing.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509

from tests.receiving import certificate

from .asgi import ROOT
from .process import ServerProcess, free_port

PAGE = ROOT / "docs" / "how-to" / "proxies.md"
BLOCK = re.compile(r"^```\w*\n# /etc/(\w+)/.*?\n(.*?)^```", re.MULTILINE | re.DOTALL)
IDLE = 50  # seconds of silence after which Debian's HAProxy ends a connection; nginx does so after 60, Caddy never


def nginx(site: str, idle: int) -> str:
    """Return the configuration of an nginx that serves `site`."""
    paths = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return "\n".join(
        [
            "daemon off; user root; worker_processes 1; pid pid; events {} http {",
            *(f"{path}_temp_path {path};" for path in paths),
            f"access_log off; proxy_read_timeout {idle}s; gzip on; gzip_proxied any; gzip_types *;",
            site,
            "}",
        ]
    )


def caddy(site: str, idle: int) -> str:
    """Return the configuration of a Caddy that serves `site`."""
    reads = f"reverse_proxy \\1 {{\ntransport http {{\nread_timeout {idle}s\n}}\n}}\nencode gzip"
    return "{\nadmin off\nauto_https off\n}\n" + re.sub(r"reverse_proxy (\S+)", reads, site)


def haproxy(site: str, idle: int) -> str:
    """Return the configuration of a HAProxy that serves `site`; it compresses in the backend, which stands last."""
    defaults = f"defaults\nmode http\ntimeout connect 5s\ntimeout client {idle}s\ntimeout server {idle}s\n"
    return f"{defaults}{site}\ncompression algo gzip\ncompression type text/event-stream text/html application/json\n"


MAKERS: dict[str, Callable[[str, int], str]] = {"nginx": nginx, "caddy": caddy, "haproxy": haproxy}
WORDS = {
    "nginx": ["-p", ".", "-e", "stderr", "-c"],
    "caddy": ["run", "--adapter", "caddyfile", "--config"],
    "haproxy": ["-db", "-f"],
}


def documented(name: str) -> str:
    """Return what the documentation shows for a proxy."""
    blocks: dict[str, str] = dict(BLOCK.findall(PAGE.read_text()))
    return blocks[name]


def proxy(name: str, upstream: int, *, folder: Path, idle: int = IDLE) -> ServerProcess:
    """Return a proxy that is not started yet, in front of a server on a loopback port.

    Args:
        name: One of `MAKERS`.
        upstream: The port of the server.
        folder: Where its files go.
        idle: Seconds of silence after which it ends a connection.
    """
    port = free_port()
    cert, key = certificate(x509.IPAddress(IPv4Address("127.0.0.1")))
    both = folder / "both.pem"
    both.write_text(Path(cert).read_text() + Path(key).read_text())
    site = (
        documented(name)
        .replace("/etc/ssl/example.com.pem", str(both))
        .replace("/etc/ssl/example.com.key", key)
        .replace("127.0.0.1:8000", f"127.0.0.1:{upstream}")
        .replace("listen 443", f"listen 127.0.0.1:{port}")
        .replace("bind :443", f"bind 127.0.0.1:{port}")
        .replace("example.com {", f"https://127.0.0.1:{port} {{\ntls {cert} {key}")
    )
    configuration = folder / f"{name}-{port}.conf"
    configuration.write_text(MAKERS[name](site, idle))
    return ServerProcess(
        [find(name), *WORDS[name], str(configuration)],
        port=port,
        log=folder / f"{name}-{port}.log",
        cwd=folder,
        env={"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)},
    )


def where(name: str) -> str | None:
    """Return the path of a program; those of servers are on the PATH of root alone."""
    return shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")


def find(name: str) -> str:
    """Return the path of a program, or say how to get it."""
    path = where(name)
    if path is None:
        raise RuntimeError(f"{name} is missing: run `make proxies`")
    return path


if __name__ == "__main__":
    print(*(name for name in MAKERS if where(name) is None))  # noqa: T201
