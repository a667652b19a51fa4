"""A receiver of webhooks, over HTTP or HTTPS, which answers as a test says."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message as Headers
from email.parser import BytesParser
from functools import cache
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from tempfile import mkdtemp
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "hooks.example.com"
Behaviour = Callable[["Received", socket.socket], None]


@dataclass(frozen=True)
class Received:
    """A request as it came."""

    method: str
    path: str
    headers: Headers
    body: bytes


def answer(status: int, *lines: str, body: bytes = b"") -> Behaviour:
    """Answer with a status, further lines of the head, and a body."""

    def behave(_received: Received, peer: socket.socket) -> None:
        head = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *lines, "", ""]
        peer.sendall("\r\n".join(head).encode() + body)

    return behave


@dataclass
class Receiver:
    """What it has received, and how it answers."""

    scheme: str
    port: int
    received: list[Received] = field(default_factory=list)
    behaviour: Behaviour = field(default_factory=lambda: answer(204))
    over: threading.Event = field(default_factory=threading.Event)  # set when the test is done with it
    server_names: list[str | None] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{HOST}:{self.port}/hook"

    def hang(self, _received: Received, _peer: socket.socket) -> None:
        """Answer nothing, until the test is over."""
        self.over.wait()

    def trickle(self, _received: Received, peer: socket.socket) -> None:
        """Answer a byte now and then, for as long as somebody listens."""
        peer.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        with suppress(OSError):
            while not self.over.wait(0.05):
                peer.sendall(b"x")


def flood(_received: Received, peer: socket.socket) -> None:
    """Answer with more than anybody wants to read, for as long as somebody listens."""
    with suppress(OSError):
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            peer.sendall(bytes(65_536))


def flood_headers(_received: Received, peer: socket.socket) -> None:
    """Answer with headers that never end."""
    with suppress(OSError):
        peer.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            peer.sendall(b"X-Header: " + b"x" * 60_000 + b"\r\n")


def close(_received: Received, peer: socket.socket) -> None:
    """Answer nothing and close."""
    peer.close()


@cache
def certificate(of: x509.GeneralName = x509.DNSName(HOST)) -> tuple[str, str]:  # noqa: B008  # it cannot be changed
    """Return the paths of a certificate, which signs itself, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([of]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = Path(mkdtemp(prefix="carillon-receiver-"))
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    plain = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    return str(folder / "cert.pem"), str(folder / "key.pem")


class _Server(ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    receiver: Receiver
    tls: ssl.SSLContext | None = None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: who asks may go away whenever they like."""


class _Handler(BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        peer: socket.socket = self.request
        if self.server.tls is not None:
            peer = self.server.tls.wrap_socket(peer, server_side=True)
        with peer, peer.makefile("rb") as reader:
            method, path, _version = reader.readline().decode().split()
            head = b""
            while (line := reader.readline()) not in (b"\r\n", b""):
                head += line
            headers = BytesParser().parsebytes(head)
            body = reader.read(int(headers.get("Content-Length", 0)))
            received = Received(method, path, headers, body)
            self.server.receiver.received.append(received)
            self.server.receiver.behaviour(received, peer)


@contextmanager
def receiving(scheme: str = "http") -> Iterator[Receiver]:
    """Receive webhooks on a port of this machine."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        receiver = server.receiver = Receiver(scheme, server.server_address[1])
        if scheme == "https":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate())
            context.sni_callback = lambda _socket, name, _context: receiver.server_names.append(name)
            server.tls = context
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.over.set()
            server.shutdown()
            thread.join()
