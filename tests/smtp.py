"""A mail server for tests, which takes messages over a real socket, or refuses them as a test says."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import django
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from django.test import override_settings

from .servers.process import free_port

ADDRESS = "127.0.0.1"


class MailServer:
    """What has arrived, and what the server answers; it says yes to everything until a test says otherwise."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.raw: list[bytes] = []
        self.recipients: list[list[str]] = []
        self.answers: dict[str, str] = {}  # by the command: RCPT or DATA
        self.sessions = 0
        self.port = 0

    async def handle_EHLO(self, server: SMTP, session: Any, envelope: Any, hostname: str, lines: list[str]) -> Any:  # noqa: N802
        self.sessions += 1
        session.host_name = hostname
        return lines

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if "RCPT" in self.answers:
            return self.answers["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        if "DATA" in self.answers:
            return self.answers["DATA"]
        self.raw.append(envelope.original_content)
        self.mails.append(message_from_bytes(envelope.original_content, policy=policy.default))
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"

    def text(self, number: int = -1) -> str:
        """Return the plain part of a mail."""
        part: Any = self.mails[number].get_body(("plain",))
        return str(part.get_content())

    def html(self, number: int = -1) -> str:
        """Return the HTML part of a mail."""
        part: Any = self.mails[number].get_body(("html",))
        return str(part.get_content())


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Yield a running mail server."""
    server = MailServer()
    server.port = free_port()
    controller = Controller(server, hostname=ADDRESS, port=server.port, server_hostname="mail.example.org")
    controller.start()
    try:
        yield server
    finally:
        controller.stop()


def mailing(port: int, backend: str = "django.core.mail.backends.smtp.EmailBackend", **options: Any) -> Any:
    """Send e-mails to a port of this machine, by the channel "email", which is on for everything."""
    settings: dict[str, Any] = {
        "NOTIFICATIONS_BASE_URL": "https://bells.example.com",
        "NOTIFICATIONS_CHANNELS": {"email": {"DEFAULT": "on", "OPTIONS": {"per_domain": 1_000, **options}}},
        "DEFAULT_FROM_EMAIL": "Bells <bells@example.com>",
    }
    if django.VERSION >= (6, 1):
        takes = {"host": ADDRESS, "port": port} if backend.endswith("smtp.EmailBackend") else {}
        settings["MAILERS"] = {"default": {"BACKEND": backend, "OPTIONS": takes}}
    else:
        settings |= {"EMAIL_BACKEND": backend, "EMAIL_HOST": ADDRESS, "EMAIL_PORT": port}
    return override_settings(**settings)


class Silence:
    """A server that takes connections, says the lines it is given, one after each that it reads, and then no more."""

    def __init__(self, *lines: str, hang_up: bool = False) -> None:
        self._socket = socket.create_server((ADDRESS, 0))
        self._lines = lines
        self._hang_up = hang_up
        self._open: list[socket.socket] = []
        self.port = int(self._socket.getsockname()[1])
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """End it, and its connections."""
        self._socket.close()
        for connection in self._open:
            connection.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError:
                return
            self._open.append(connection)
            for number, line in enumerate(self._lines):
                if number and not connection.recv(4096):
                    break
                connection.sendall(f"{line}\r\n".encode())
            if self._hang_up:
                connection.close()
