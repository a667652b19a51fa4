"""Connections to the mail server: some are kept for a few seconds, for the next messages, and none hangs."""

from __future__ import annotations

import smtplib
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from time import monotonic
from typing import Any, Final

from django.core import mail

KEPT_OPEN: Final = 5.0  # seconds for which a connection is kept; servers close theirs after minutes (RFC 5321, 4.5.3.2)
MESSAGES: Final = 50  # over one connection; some servers take no more than a hundred
ANSWER_TIMEOUT: Final = 8.0  # seconds for one answer of the server; one of many that a message needs
# Django's own that hand nothing to a mail server: nobody need be spared, and nothing is kept open.
LOCAL_BACKENDS: Final = frozenset(
    f"django.core.mail.backends.{name}" for name in ("console", "dummy", "filebased", "locmem")
)
SEND_TIMEOUT: Final = 20.0  # seconds for a message, all answers together: a channel has half a minute


def make_connection(mailer: str) -> Any:
    """Return a connection of Django's own mail: the mailer of a name, or the default one.

    Django has mailers since 6.1, for sites that have set ``MAILERS``; others have one connection, of ``EMAIL_BACKEND``.
    """
    mailers = getattr(mail, "mailers", None)
    connection = mail.get_connection() if mailers is None else mailers[mailer or "default"]
    if hasattr(connection, "timeout") and not 0 < (connection.timeout or 0) <= ANSWER_TIMEOUT:
        connection.timeout = ANSWER_TIMEOUT
    return connection


def has_mailer(mailer: str) -> bool:
    """Return whether the settings have a mailer of a name."""
    mailers = getattr(mail, "mailers", None)
    return mailers is not None and mailer in mailers


def is_local(connection: Any) -> bool:
    """Return whether a connection leads to no mail server: it prints e-mails, or keeps them for tests."""
    return type(connection).__module__ in LOCAL_BACKENDS


class Connections:
    """The open connections of one mailer that nobody uses just now, and those that are made when there is none."""

    def __init__(self, mailer: str, idle: float = KEPT_OPEN) -> None:
        """Keep each connection for `idle` seconds."""
        self._mailer = mailer
        self._idle = idle
        self._lock = threading.Lock()
        self._kept: list[tuple[float, int, Any]] = []  # since when, the messages it has carried, and the connection
        self._is_watched = False  # by a timer that closes those of which nobody has need

    @cached_property
    def are_local(self) -> bool:
        """Return whether they lead to no mail server."""
        return is_local(make_connection(self._mailer))

    @contextmanager
    def use(self) -> Iterator[Any]:
        """Lend an open connection; one that fails is closed, any other one is kept for a while."""
        carried, connection = self._take()
        watchdog = threading.Timer(SEND_TIMEOUT, _cut, [connection])
        watchdog.daemon = True
        watchdog.start()
        try:
            connection.open()
            yield connection
        except BaseException:
            _close(connection)
            raise
        finally:
            watchdog.cancel()
        self._keep(carried + 1, connection)

    def close(self) -> None:
        """Close those that nobody uses."""
        with self._lock:
            kept, self._kept = self._kept, []
        for _since, _carried, connection in kept:
            _close(connection)

    def _take(self) -> tuple[int, Any]:
        while True:
            with self._lock:
                if not self._kept:
                    break
                since, carried, connection = self._kept.pop()
            if monotonic() - since < self._idle and _is_alive(connection):
                return carried, connection
            _close(connection)
        return 0, make_connection(self._mailer)

    def _keep(self, carried: int, connection: Any) -> None:
        if carried >= MESSAGES or is_local(connection):
            _close(connection)
            return
        with self._lock:
            self._kept.append((monotonic(), carried, connection))
            begin, self._is_watched = not self._is_watched, True
        if begin:
            self._close_later()

    def _close_later(self) -> None:
        timer = threading.Timer(self._idle, self._close_idle)
        timer.daemon = True
        timer.start()

    def _close_idle(self) -> None:
        with self._lock:
            limit = monotonic() - self._idle
            old = [one for one in self._kept if one[0] <= limit]
            self._kept = [one for one in self._kept if one[0] > limit]
            self._is_watched = goes_on = bool(self._kept)
        for _since, _carried, connection in old:
            _close(connection)
        if goes_on:
            self._close_later()


def _is_alive(connection: Any) -> bool:
    """Ask the server whether it is still there: one that has gone would be noticed after a message's first half."""
    smtp = getattr(connection, "connection", None)
    if not isinstance(smtp, smtplib.SMTP):
        return True
    try:
        return smtp.noop()[0] == 250
    except (OSError, smtplib.SMTPException):
        return False


def _close(connection: Any) -> None:
    with suppress(OSError, smtplib.SMTPException):
        connection.close()


def _cut(connection: Any) -> None:
    """End a connection whose server takes too long: whoever waits for it gets an error."""
    for name in ("connection", "_partial_connection"):
        sock = getattr(getattr(connection, name, None), "sock", None)
        if sock is not None:
            with suppress(OSError):
                sock.shutdown(2)  # both ways; closing it would not wake who reads
