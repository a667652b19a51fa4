"""The socket that all workers share: it is opened once, so no connection is refused while one follows another."""

from __future__ import annotations

import errno
import socket
from contextlib import suppress
from pathlib import Path

from ..exceptions import CarillonError

BACKLOG = 2_048  # connections that wait to be accepted: all clients may come back at once


class CannotListen(CarillonError):
    """The address cannot be used."""


def listen(host: str, port: int) -> socket.socket:
    """Listen on a TCP port.

    Raises:
        CannotListen: Another program has it, it needs permission, or the host has no such address.
    """
    version = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=version, backlog=BACKLOG)
    except OSError as error:
        raise CannotListen(f"Cannot listen on {host}, port {port}: {_why(error)}") from error


def listen_unix(path: Path) -> socket.socket:
    """Listen on a Unix socket, which every user of the machine may open; its folder says who reaches it.

    Raises:
        CannotListen: Another program listens there, or the path cannot be used.
    """
    sock = socket.socket(socket.AF_UNIX)
    try:
        _remove_left_over(path)
        sock.bind(str(path))
        path.chmod(0o666)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise CannotListen(f"Cannot listen on {path}: {_why(error)}") from error
    return sock


def remove(path: Path, inode: int) -> None:
    """Remove a Unix socket, unless another program listens at its path by now."""
    with suppress(FileNotFoundError):
        if path.stat().st_ino == inode:
            path.unlink()


def _remove_left_over(path: Path) -> None:
    """Remove the socket of a program that was killed, and nothing else."""
    if path.is_socket():
        with socket.socket(socket.AF_UNIX) as probe, suppress(ConnectionRefusedError, FileNotFoundError):
            probe.connect(str(path))
            raise OSError(errno.EADDRINUSE, "another program listens there")
        path.unlink(missing_ok=True)


def _why(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "another program does. End that one, or choose another address."
    return f"{error.strerror or error}."
