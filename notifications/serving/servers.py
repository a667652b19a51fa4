"""The ASGI servers that a worker may run, set up for connections that stay open.

Neither believes a proxy's headers: ``SECURE_PROXY_SSL_HEADER``, ``USE_X_FORWARDED_HOST`` and ``NOTIFICATIONS_PROXIES``
say what Django and Carillon believe, here as under WSGI. Neither compresses sockets, which would take 40 KB for each.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib.util import find_spec
from socket import socket
from typing import Any, Protocol

from ..chat.commands import COMMAND_BYTES
from ..exceptions import CarillonError
from .application import Application
from .listening import BACKLOG

GRACE = 10  # seconds for connections to end after their bye; a client that does not read takes five


class NoServer(CarillonError):
    """No server is installed, or not the one that was asked for."""


class Server(Protocol):
    """A server with one listening socket."""

    def __init__(self, app: Application, listening: socket) -> None:
        """Prepare to serve."""

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT, and tell the application when it has started."""

    def stop_listening(self) -> None:
        """Accept no more connections in this process; those that are open stay so."""


class Uvicorn:
    """Uvicorn, without its own supervisor."""

    def __init__(self, app: Application, listening: socket) -> None:
        """Prepare to serve."""
        from uvicorn import Config
        from uvicorn import Server as UvicornServer

        config = Config(
            app,
            interface="asgi3",
            lifespan="on",
            workers=1,
            backlog=BACKLOG,
            log_config=None,  # the site's own
            access_log=False,
            proxy_headers=False,
            server_header=False,
            ws_max_size=4 * COMMAND_BYTES,  # a command is measured in characters, of up to four bytes
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=GRACE,
        )
        self._listening = listening
        self._server = UvicornServer(config)

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        self._server.run(sockets=[self._listening])

    def stop_listening(self) -> None:
        """Accept no more connections in this process."""
        for server in getattr(self._server, "servers", ()):  # none while it starts
            server.close()


class Daphne:
    """Daphne, which has neither lifespan nor back pressure."""

    def __init__(self, app: Application, listening: socket) -> None:
        """Prepare to serve."""
        from daphne.server import Server as DaphneServer

        self._app = app
        self._listening = listening
        self._server = DaphneServer(
            app,
            endpoints=["the socket that is adopted"],
            signal_handlers=threading.current_thread() is threading.main_thread(),
            ready_callable=self._adopt,
            server_name="",
        )
        self._server.endpoints = []  # of which Daphne wants one, and can describe none but of IPv4
        self._port: Any = None

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        self._server.run()

    def stop_listening(self) -> None:
        """Accept no more connections in this process."""
        self._port.stopListening()

    def _adopt(self) -> None:
        from daphne.server import twisted_loop
        from twisted.internet import reactor

        size = 4 * COMMAND_BYTES
        self._server.ws_factory.setProtocolOptions(maxMessagePayloadSize=size, maxFramePayloadSize=size)
        adopt: Callable[..., Any] = reactor.adoptStreamPort
        self._port = adopt(self._listening.fileno(), self._listening.family, self._server.http_factory)
        self._listening.close()  # the reactor has one of its own
        twisted_loop.call_soon(self._app.started)


SERVERS: dict[str, type[Server]] = {"uvicorn": Uvicorn, "daphne": Daphne}  # the first that is installed serves


def choose(name: str = "") -> str:
    """Return the server to run, by name: the one that is asked for, or the first that is installed.

    Raises:
        NoServer: It is not installed.
    """
    installed = [server for server in SERVERS if find_spec(server)]
    if name and name not in installed:
        raise NoServer(f'{name} is not installed: python -m pip install "django-carillon[{name}]".')
    if not installed:
        raise NoServer(
            'Neither uvicorn nor Daphne is installed: python -m pip install "django-carillon[uvicorn]", which costs '
            'less for each event, or "django-carillon[daphne]".'
        )
    return name or installed[0]
