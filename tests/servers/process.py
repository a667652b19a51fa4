"""One real server in a process of its own: started, waited for, stopped, killed, started again."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

STARTUP = 30.0  # seconds; a server that takes longer on a busy machine is broken
SHUTDOWN = 15.0  # seconds between SIGTERM and the judgement that it hangs
POLL = 0.02  # seconds between two looks at a starting server


_reserved: list[socket.socket] = []


def free_port() -> int:
    """Return a TCP port of the loopback interface that nobody listens on, and keep it for servers of this process.

    Tests run side by side: a port that were given back would be somebody else's before its server has started, or
    while it is killed. On Linux a socket that is bound, does not listen and allows others to reuse its address keeps
    the kernel from choosing the port again, and lets a server that names it have it.
    """
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind(("127.0.0.1", 0))
    port: int = probe.getsockname()[1]
    if sys.platform == "linux":
        _reserved.append(probe)
    else:
        probe.close()
    return port


def accepts(port: int) -> bool:
    """Return whether somebody accepts connections on this loopback port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def wait_until(there: Callable[[], bool], wanting: str) -> None:
    """Return when something that another process does is there.

    Args:
        there: Returns whether it is.
        wanting: What the error says where it never is.

    Raises:
        TimeoutError: It was not within `STARTUP` seconds.
    """
    deadline = time.monotonic() + STARTUP
    while not there():
        if time.monotonic() > deadline:
            raise TimeoutError(wanting)
        time.sleep(POLL)


def wait_until_accepting(port: int) -> None:
    """Return when somebody accepts connections on this loopback port, or raise `TimeoutError`."""
    wait_until(lambda: accepts(port), f"Nobody accepts connections on port {port}.")


class ServerProcess:
    """A server that listens on ``port`` of the loopback interface, with its output in the file ``log``."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        port: int,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        uid: int | None = None,
        gid: int | None = None,
        ready: Callable[[], bool] | None = None,
    ) -> None:
        self.command = [str(word) for word in command]
        self.port = port
        self.log = log
        self.env = {**os.environ, **(env or {})}
        self.cwd = cwd
        self.uid = uid
        self.gid = gid
        self.ready = ready or (lambda: accepts(port))
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the address of an HTTP server, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Return the process id of the running server."""
        if self.process is None:
            raise RuntimeError(f"{self.command[0]} is not running: call start() first")
        return self.process.pid

    def start(self) -> None:
        """Start the server and return when it accepts connections; the second start uses the same port."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                env=self.env,
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a group of its own, so that workers die with their master
                user=self.uid,
                group=self.gid,
                extra_groups=None if self.gid is None else [],
            )
        deadline = time.monotonic() + STARTUP
        while not self.ready():
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.command} ended with {self.process.returncode}:\n{self.output()}")
            if time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"{self.command} was not ready after {STARTUP} s:\n{self.output()}")
            time.sleep(POLL)

    def stop(self) -> None:
        """Ask the server to end (SIGTERM) and wait; one that does not end in time is killed and reported."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(SHUTDOWN)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"{self.command} still ran {SHUTDOWN} s after SIGTERM:\n{self.output()}") from None

    def kill(self) -> None:
        """End the server and its workers at once, as ``kill -9`` or a lost machine would."""
        if self.process is None or self.process.poll() is not None:
            return
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def output(self) -> str:
        """Return what the server has printed since its first start."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""


class Server(Protocol):
    """What runs in a process of its own."""

    process: ServerProcess


S = TypeVar("S", bound=Server)


@contextmanager
def in_folder(make: Callable[[Path], S], name: str) -> Iterator[S]:
    """Run a server in a temporary folder that is called after it, and leave nothing behind."""
    with tempfile.TemporaryDirectory(prefix=f"carillon-{name}-") as folder:
        server = make(Path(folder))
        server.process.start()
        try:
            yield server
        finally:
            server.process.kill()


def data_folder(folder: Path) -> tuple[Path, int | None, int | None]:
    """Make the folder of a database server's data; as root, for the account `nobody`, since such servers refuse root.

    Returns:
        The folder, and the ids of the user and the group to run as; None for one's own.
    """
    data = folder / "data"
    data.mkdir(mode=0o700)
    if os.geteuid() != 0:
        return data, None, None
    owner = pwd.getpwnam("nobody")
    folder.chmod(0o755)
    os.chown(data, owner.pw_uid, owner.pw_gid)
    return data, owner.pw_uid, owner.pw_gid


def run_with(database_url: str, command: Sequence[str]) -> int:
    """Run ``command`` on a database, which DATABASE_URL names, and return its exit status."""
    return subprocess.run(command, check=False, env={**os.environ, "DATABASE_URL": database_url}).returncode
