"""Outgoing requests: one POST to an address that was examined, bounded in time and in bytes.

It is the standard library's client, for what others bound is each read and not all of them together: a server that
sends a byte now and then would hold a thread for as long as it likes. No redirect is followed, no proxy of the
environment is used, no cookie and no connection is kept.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPMessage
from time import monotonic
from typing import Any, Final, NamedTuple

from django.utils import timezone

from .destinations import PORTS, Destinations, Target

CONNECT_TIME: Final = 5.0  # seconds for one address
BODY_TIME: Final = 2.0  # seconds for the rest of an answer, once its status is known
ANSWER_BODY_BYTES: Final = 16 * 1024  # of an answer that are read, so that the other side can end in peace
ANSWER_BYTES: Final = 128 * 1024  # with the headers


class Answer(NamedTuple):
    """What the other side has answered. Its body is of no interest."""

    status: int
    headers: HTTPMessage


class _Limits:
    """A time at which everything must have ended, and a number of bytes."""

    def __init__(self, seconds: float) -> None:
        self.end = monotonic() + seconds
        self.bytes = ANSWER_BYTES

    def remaining(self, most: float = float("inf")) -> float:
        left = min(self.end - monotonic(), most)
        if left <= 0:
            raise TimeoutError("The time is over.")
        return left

    def take(self, number: int) -> int:
        self.bytes -= number
        if self.bytes < 0:
            raise OSError(f"The answer has more than {ANSWER_BYTES} bytes.")
        return number


class _Socket(socket.socket):
    """A socket whose reads and writes end at one time, all together."""

    limits: _Limits

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(self.limits.remaining())
        return self.limits.take(super().recv_into(*args, **kwargs))

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self.settimeout(self.limits.remaining())
        super().sendall(*args, **kwargs)


class _TLSSocket(ssl.SSLSocket):
    """The same, over TLS."""

    limits: _Limits

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(self.limits.remaining())
        return self.limits.take(super().recv_into(*args, **kwargs))

    def send(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(self.limits.remaining())
        return super().send(*args, **kwargs)


def tls_context(ca_file: str | None = None) -> ssl.SSLContext:
    """Return how servers are verified: by the system's authorities, or those of a file.

    Raises:
        OSError: The file cannot be read, or holds no certificates.
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.sslsocket_class = _TLSSocket
    return context


class _Connection(HTTPConnection):
    """A connection to addresses that were examined, under the name of the URL."""

    def __init__(self, target: Target, addresses: list[str], limits: _Limits, tls: ssl.SSLContext) -> None:
        self.default_port = PORTS[target.scheme]  # beside which `Host` names the port
        super().__init__(target.host, target.port)
        self._target = target
        self._addresses = addresses
        self._limits = limits
        self._tls = tls

    def connect(self) -> None:
        """Connect to the first address that answers."""
        failure: OSError = OSError("There is no address.")
        for address in self._addresses:
            try:
                self.sock = self._connected(address)
                return
            except OSError as error:
                failure = error
        raise failure

    def _connected(self, address: str) -> socket.socket:
        plain = _Socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        try:
            plain.settimeout(self._limits.remaining(CONNECT_TIME))
            plain.connect((address, self._target.port))
            plain.limits = self._limits
            if self._target.scheme == "http":
                return plain
            plain.settimeout(self._limits.remaining())  # for the whole handshake
            secured = self._tls.wrap_socket(plain, server_hostname=self._target.host)
            assert isinstance(secured, _TLSSocket)
            secured.limits = self._limits
            return secured
        except BaseException:
            plain.close()
            raise


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    destinations: Destinations,
    *,
    timeout: float,
    tls: ssl.SSLContext,
) -> Answer:
    """Post `body` to a URL, and return what the other side says.

    Args:
        url: Where to; it is examined here, whoever has examined it before.
        body: What is posted.
        headers: With its type.
        destinations: Where requests may go.
        timeout: Seconds, for everything together but the look-up of the name.
        tls: How the server is verified.

    Raises:
        ValueError: The URL leads nowhere that is allowed.
        Undeliverable: Its name leads nowhere that is allowed.
        OSError: The server did not take it, or not in time.
    """
    target = destinations.target(url)
    addresses = destinations.addresses(target)
    limits = _Limits(timeout)
    connection = _Connection(target, addresses, limits, tls)
    try:
        connection.request("POST", target.path, body, {"Connection": "close", **headers})
        response = connection.getresponse()
        with suppress(
            OSError, HTTPException, ValueError
        ):  # the status is what counts; a chunk may have a length below 0
            limits.end = min(limits.end, monotonic() + BODY_TIME)
            response.read(ANSWER_BODY_BYTES)
        return Answer(response.status, response.headers)
    except ConnectionError:  # one is an `HTTPException` too
        raise
    except HTTPException as error:
        raise OSError(f"The answer is not HTTP: {type(error).__name__}.") from error
    finally:
        connection.close()


def retry_after(value: str) -> timedelta | None:
    """Return how long the other side wants to be left alone, in seconds or as a date (RFC 9110); None for neither."""
    try:
        return max(timedelta(seconds=float(value)), timedelta(0))
    except (ValueError, OverflowError):
        pass
    try:
        until = parsedate_to_datetime(value)
        return max(timedelta(0), until - timezone.now()) if until.tzinfo else None
    except (ValueError, TypeError, OverflowError):
        return None
