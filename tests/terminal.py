"""A terminal with a shell in it, and somebody who types and waits for the prompt."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

import pexpect

from tests.servers.process import wait_until_accepting

PATIENCE = 180.0  # seconds for a command to end; pip may have to build and download
SHELL = re.compile(r"(?:\(\.venv\) )?status (\d+) \$ ")  # an active environment stands before it
PYTHON = ">>> "
PASSWORD = re.compile(r"Password(?: \(again\))?: ")
SERVING = re.compile(r"(?:server at|Listening at:|Carillon serves) http://127\.0\.0\.1:(\d+)")


def _hear_interrupts() -> None:
    """Let Ctrl+C end programs, also where the tests run in the background and ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """A terminal: `prompt` says whether the shell or Python waits for a line, or a server runs in it."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *, password: str) -> None:
        self.password = password
        self.prompt = "shell"
        self.line = ""  # what was typed last
        self.child: pexpect.spawn[str] = pexpect.spawn(
            "/bin/sh",
            ["-i"],
            cwd=str(folder),
            env={**environment, "PS1": "status $? $ ", "TERM": "dumb", "ENV": ""},
            encoding="utf-8",
            timeout=PATIENCE,
            echo=False,
            preexec_fn=_hear_interrupts,
        )
        self._wait("")

    def type(self, lines: Sequence[str]) -> str:
        """Type lines, each after the prompt, and return what was printed."""
        return "".join(self._type(line) for line in lines)

    def serve(self, line: str, port: int) -> None:
        """Start a server that prints nothing, and wait until it accepts connections on a port."""
        self.line = line
        self.child.sendline(line)
        wait_until_accepting(port)
        self.prompt = "server"

    def interrupt(self) -> None:
        """Press Ctrl+C."""
        self.child.sendintr()
        self.child.expect(SHELL)
        self.prompt = "shell"

    def close(self) -> None:
        """Close the window, and end what runs in it: for gunicorn and nginx the signal that tells them is to reload."""
        if self.prompt == "server":
            self.interrupt()
        self.child.close(force=True)

    def _type(self, line: str) -> str:
        self.line = line
        self.child.sendline(line)
        return self._wait(line)

    def _wait(self, line: str) -> str:
        """Wait for a prompt, type the password wherever one is asked for, and return what was printed."""
        printed = ""
        while True:
            found = self.child.expect([SHELL, re.compile(f"^{PYTHON}", re.MULTILINE), PASSWORD, SERVING])
            printed += self.child.before or ""
            if found == 2:
                self.child.sendline(self.password)
                continue
            self.prompt = ("shell", "python", "", "server")[found]
            if self.prompt == "shell":
                assert self._matched() == "0", f"{line}\n{printed}"
            if self.prompt == "python":
                assert "Traceback" not in printed, f"{line}\n{printed}"
            if self.prompt == "server":
                wait_until_accepting(int(self._matched()))
            return printed

    def _matched(self) -> str:
        assert isinstance(self.child.match, re.Match)
        return str(self.child.match[1])
