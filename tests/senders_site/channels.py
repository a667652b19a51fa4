"""A channel that sends to the checker's receivers, as channels do: with a timeout, and by the answer's status."""

from __future__ import annotations

import http.client
import json
from datetime import timedelta
from typing import Any

from django.db import connection

from notifications.deliveries import DeliveryChannel, Message, TryLater, Undeliverable

TIMEOUT = 0.5  # seconds


class Http(DeliveryChannel):
    """Posts each message to a receiver."""

    def __init__(self, name: str, *, port: int, **options: Any) -> None:
        super().__init__(name, **options)
        self.port = port

    def address(self, user: Any) -> str:
        return "" if user.username.endswith("homeless") else str(user.username)

    def send(self, message: Message) -> None:
        body = {
            "id": message.id,
            "channel": message.channel,
            "to": message.address,
            "what": message.title,
            "in transaction": connection.in_atomic_block,
        }
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT)
        try:
            line.request("POST", "/", json.dumps(body))
            answer = line.getresponse()
            if answer.status == 410:
                raise Undeliverable("Gone.", reason="bounced")
            if answer.status == 429:
                raise TryLater("Not now.", after=timedelta(seconds=float(answer.headers["Retry-After"])))
            if answer.status != 200:
                raise TryLater(f"Status {answer.status}.")
        finally:
            line.close()
