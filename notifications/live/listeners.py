"""Notice that the server has stopped listening: it retires, whatever the reason.

A worker that has served its number of requests gets no signal. It closes its listening sockets and waits until the
open connections end, which streams never do by themselves. The server tells applications nothing of this (ASGI's
``lifespan.shutdown`` comes afterwards), but the sockets are the process's own: the kernel knows whether they listen.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any


class Listeners:
    """The listening sockets of this process's server."""

    def __init__(self, server: Sequence[Any] | None) -> None:
        """Find them, by what an ASGI scope says of the ``server``; all there are, where that says nothing."""
        listening = dict(_listening())
        name = server[0] if server and server[1] is None else None  # of a Unix socket
        port = server[1] if server else None
        ours = [fd for fd, address in listening.items() if _is_at(address, name, port)]
        self._fds = ours or list(listening)

    def closed(self) -> bool:
        """Return whether the server has stopped listening; never where its sockets cannot be found."""
        return bool(self._fds) and all(_address(fd) is None for fd in self._fds)


def _listening() -> Iterator[tuple[int, Any]]:
    try:
        names = [path.name for path in Path("/dev/fd").iterdir()]
    except OSError:  # Windows
        return
    for name in names:
        if name.isdecimal() and (address := _address(int(name))) is not None:
            yield int(name), address


def _address(fd: int) -> Any:
    """Return the address at which a file descriptor listens, or None."""
    try:
        found = socket.socket(fileno=fd)
    except OSError:
        return None
    try:
        return found.getsockname() if found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) else None
    except OSError:
        return None
    finally:
        found.detach()  # it is the server's


def _is_at(address: Any, name: str | None, port: int | None) -> bool:
    if isinstance(address, tuple):
        return port is not None and address[1] == port
    return name is not None and os.fsdecode(address) == name
