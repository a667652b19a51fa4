"""Words for systemd (sd_notify): a unit of ``Type=notify`` counts as started when its workers serve."""

from __future__ import annotations

import os
import socket
from contextlib import suppress


def notify(state: str) -> None:
    """Send a state such as ``READY=1`` to whoever started this process, if they asked for it."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if address:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock, suppress(OSError):
            sock.connect(f"\0{address[1:]}" if address.startswith("@") else address)  # an abstract name
            sock.send(state.encode())
