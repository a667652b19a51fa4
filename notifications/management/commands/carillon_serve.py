"""Serve streams, polls, sockets, deliveries and periodic tasks, beside a site that runs under WSGI."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from socket import socket
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ...exceptions import CarillonError
from ...live.django_internals import reload_at_changes
from ...serving.listening import listen, listen_unix, remove
from ...serving.servers import SERVERS, choose
from ...serving.supervisor import Supervisor
from ...serving.worker import Worker, inherited

HOST, PORT = "127.0.0.1", 8001


class Command(BaseCommand):
    """For sites whose pages are served by gunicorn, uWSGI or mod_wsgi; the web server passes on the prefix."""

    help = (
        "Serve the URLs of notifications.urls (streams, polls, the chat's sockets), deliveries and periodic tasks, "
        "beside a site that runs under WSGI."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", help=f"The address to listen on ({HOST}).")
        parser.add_argument("--port", type=int, help=f"The port to listen on ({PORT}).")
        parser.add_argument("--uds", type=Path, help="A Unix socket to listen on, in the place of host and port.")
        parser.add_argument("--workers", type=int, default=1, help="Processes that serve (1).")
        parser.add_argument("--server", choices=SERVERS, default="", help="The first of them that is installed.")
        parser.add_argument("--max-requests", type=int, default=0, help="Replace a worker after so many (never).")
        parser.add_argument("--max-age", type=int, default=0, help="Replace a worker after so many seconds (never).")
        parser.add_argument(
            "--reload", action="store_true", help="For development: serve the whole site, and restart at changes."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        _check(options)
        try:
            server = choose(options["server"])
            if options["reload"]:
                reload_at_changes(lambda: self._develop(server, options))
            elif given := inherited():
                listening, link = given
                Worker(link, options["max_requests"]).run(server, listening)
            else:
                self._supervise(server, options)
        except CarillonError as error:
            raise CommandError(str(error)) from error

    def _supervise(self, server: str, options: dict[str, Any]) -> None:
        listening, address = _listen(options)
        inode = options["uds"].stat().st_ino if options["uds"] else 0

        def say() -> None:
            if options["verbosity"]:
                self.stdout.write(f"Carillon serves {address} ({options['workers']} × {server}).")
                self.stdout.flush()

        try:
            status = Supervisor(listening, options["workers"], options["max_age"], say).run()
        finally:
            if options["uds"]:
                remove(options["uds"], inode)
        if status:
            sys.exit(status)

    def _develop(self, server: str, options: dict[str, Any]) -> None:
        """Serve in a thread of the process that watches the files."""
        try:
            listening, address = _listen(options)
        except CarillonError as error:
            self.stderr.write(str(error))
            os._exit(1)
        self.stdout.write(f"The site, with live streams: development server at {address}/ (Ctrl+C ends it)")
        self.stdout.flush()
        Worker(whole_site=True).run(server, listening)


def _check(options: dict[str, Any]) -> None:
    """Refuse what cannot be meant.

    Raises:
        CommandError: With the way out.
    """
    if options["uds"] and (options["host"] or options["port"] is not None):
        raise CommandError("Give either --uds, or --host and --port.")
    if options["port"] is not None and not 0 <= options["port"] < 2**16:
        raise CommandError("--port must be from 0 (any that is free) to 65535.")
    if options["workers"] < 1:
        raise CommandError("--workers must be at least 1.")
    for name in ("max_requests", "max_age"):
        if options[name] < 0:
            raise CommandError(f"--{name.replace('_', '-')} must be at least 1, or 0 for never.")
    if options["reload"]:
        if options["workers"] > 1:
            raise CommandError("--reload serves in one process: leave out --workers.")
        if not settings.DEBUG:
            raise CommandError("--reload is for development: it serves the whole site, and needs DEBUG = True.")
    elif sys.platform == "win32":
        raise CommandError("Workers need Unix. On Windows, use --reload, or an ASGI server of your own.")


def _listen(options: dict[str, Any]) -> tuple[socket, str]:
    """Return the socket to listen on, and its address for people."""
    if options["uds"]:
        return listen_unix(options["uds"]), str(options["uds"])
    host = options["host"] or HOST
    listening = listen(host, PORT if options["port"] is None else options["port"])
    name = f"[{host}]" if ":" in host else host
    return listening, f"http://{name}:{listening.getsockname()[1]}"
