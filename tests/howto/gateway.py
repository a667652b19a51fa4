"""A gateway of text messages, as a provider's library might be."""

from __future__ import annotations

from typing import NamedTuple


class Answer(NamedTuple):
    """What the provider says."""

    status: int
    retry_after: int = 0


class Gateway:
    """Keeps what it was given, and answers as it is told."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str, str]] = []
        self.answer = Answer(200)

    def send(self, sender: str, number: str, text: str, *, reference: str) -> Answer:
        self.sent.append((sender, number, text, reference))
        return self.answer


gateway = Gateway()
