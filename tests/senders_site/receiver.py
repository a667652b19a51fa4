"""The receivers: they take each message once, by its id, and treat their senders badly.

How a receiver answers follows from what it is sent and how often: most take a message at once; some fail a few times,
hang, ask for patience, or take the message and die before they answer. Some addresses are gone, and some never work.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HANG = 1.0  # seconds, longer than a sender waits


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *arguments: Any) -> None:
        """Say nothing of senders that were killed."""


class Receiver:
    """One HTTP server for all channels."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.tries: Counter[str] = Counter()
        self.taken: dict[tuple[str, str, str], set[str]] = {}  # ids by channel, address and what it says
        self.repeated = 0  # messages that came again under their id, which a receiver drops
        self.done: Counter[str] = Counter()  # how was answered
        self.in_transactions = 0
        self.server = _Server(("127.0.0.1", 0), self._handler())
        self.port = self.server.server_address[1]
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join(10)

    def answer(self, body: dict[str, Any]) -> str:
        """Note a message, and say how it is answered."""
        with self.lock:
            tries = self.tries[body["id"]]
            self.tries[body["id"]] += 1
            self.in_transactions += body["in transaction"]
            how = manner(body["channel"], body["to"], body["what"], tries)
            self.done[how] += 1
            if how in ("take", "die"):
                ids = self.taken.setdefault((body["channel"], body["to"], body["what"]), set())
                self.repeated += body["id"] in ids
                ids.add(body["id"])
            return how

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(length := int(self.headers["Content-Length"]))
                if len(text) < length:
                    return  # its sender was killed
                how = receiver.answer(json.loads(text))
                if how == "die":
                    self.close_connection = True
                    return
                if how == "hang":
                    threading.Event().wait(HANG)
                status = {"take": 200, "gone": 410, "patience": 429}.get(how, 500)
                self.send_response(status)
                if how == "patience":
                    self.send_header("Retry-After", "0.3")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                pass

        return Handler


def manner(channel: str, address: str, what: str, tries: int) -> str:
    """Return how a message is answered at a try, the first one is 0: always the same for the same."""
    if address.endswith("gone"):
        return "gone"
    if address.endswith("broken"):
        return "fail"
    digest = hashlib.sha256(f"{channel} {address} {what}".encode()).digest()
    trouble = {0: "fail", 1: "hang", 2: "patience", 3: "die"}.get(digest[0] % 12, "take")
    return trouble if tries <= digest[1] % 3 else "take"
