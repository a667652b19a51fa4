"""A push service, and browsers that subscribe to it: real HTTP, and the cryptography of RFC 8291 and 8292.

It takes nothing that a real one would refuse: each request must be signed by the key of the subscription, for this
service, and not for too long; its message must be one record that the browser's keys decrypt.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_bytes
from typing import Any

import http_ece
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

RECORD = 4096  # bytes: what a push service takes at least (RFC 8030, 7.2)


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Subscription:
    """A browser's subscription, with its secrets."""

    def __init__(self, service: PushService, name: str, key: str) -> None:
        self.endpoint = f"{service.url}/{name}"
        self.key = key
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.secret = token_bytes(16)

    def shown(self) -> dict[str, Any]:
        """Return what a browser's ``toJSON()`` says."""
        point = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {"endpoint": self.endpoint, "keys": {"p256dh": encode(point), "auth": encode(self.secret)}}

    def decrypt(self, body: bytes) -> dict[str, Any]:
        text = http_ece.decrypt(body, private_key=self.private, auth_secret=self.secret, version="aes128gcm")
        return dict(json.loads(text))


class PushService:
    """What was pushed, and how the service answers: ``answers`` are the next ones, then 201."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.requests: list[dict[str, str]] = []
        self.faults: list[str] = []
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.hanging = threading.Event()
        self.freed = threading.Event()
        self.freed.set()
        self._subscriptions: dict[str, Subscription] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def subscribe(self, name: str, key: str) -> Subscription:
        """Let a browser subscribe for pushes of a site, by its public key."""
        made = Subscription(self, name, key)
        self._subscriptions[f"/{name}"] = made
        return made

    def will_answer(self, *statuses: int, **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers += [(status, named) for status in statuses]

    @contextmanager
    def running(self) -> Iterator[PushService]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.freed.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def _handler(service) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if not service.freed.is_set():
                    service.hanging.set()
                    service.freed.wait()
                    return
                status, headers = service._take(self.path, dict(self.headers), body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        return Handler

    def _take(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str]]:
        found = self._subscriptions.get(path)
        if found is None:
            return 404, {}
        self.requests.append(headers)
        fault = self._fault(found, headers, body)
        if fault:
            self.faults.append(fault)
            return 400, {}
        status, more = self.answers.pop(0) if self.answers else (201, {})
        if status < 300:
            self.messages.append(found.decrypt(body))
        return status, {"Location": f"{self.url}/message", **more}

    def _fault(self, found: Subscription, headers: dict[str, str], body: bytes) -> str:
        """Return what a push service or a browser would not take."""
        if headers.get("Content-Encoding") != "aes128gcm":
            return "the encoding"
        if len(body) > RECORD or not headers.get("TTL", "").isdecimal():
            return "the size or the TTL"
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", headers.get("Topic", "x")):
            return "the topic"
        if headers.get("Urgency", "normal") not in ("very-low", "low", "normal", "high"):
            return "the urgency"
        signed = re.fullmatch(r"vapid t=([\w-]+\.[\w-]+)\.([\w-]+), ?k=([\w-]+)", headers.get("Authorization", ""))
        if signed is None or signed[3] != found.key:
            return "the key"
        return self._fault_of_claims(found, *signed.groups())

    def _fault_of_claims(self, found: Subscription, claims: str, signature: str, key: str) -> str:
        raw = decode(signature)
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decode(key))
        numbers = (int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        try:
            point.verify(encode_dss_signature(*numbers), claims.encode(), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return "the signature"
        said = json.loads(decode(claims.partition(".")[2]))
        if said["aud"] != self.url or not said["sub"].startswith("mailto:"):
            return "the claims"
        return "" if time.time() < said["exp"] <= time.time() + 24 * 60 * 60 else "the time"
