"""Apprise: some hundred services of others, by one address each; an optional channel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

from django.utils.module_loading import import_string

from ..exceptions import TryLater, Undeliverable
from .channels import DeliveryChannel
from .messages import Message


class Apprise(DeliveryChannel):
    """Sends by Apprise, to the URL that a function of yours has for a user.

    Such a URL may lead anywhere, and Apprise goes there without looking: let your users give a token or a number, and
    make the URL of it yourself.
    """

    def __init__(self, name: str, *, address: Callable[[Any], str] | str, **options: Any) -> None:
        """Take the function that returns the URL of a user, or nothing, or its dotted path."""
        super().__init__(name, **options)
        self._address = import_string(address) if isinstance(address, str) else address

    def address(self, user: Any) -> str:
        """Return the user's URL, such as ``tgram://token/chat``."""
        return str(self._address(user) or "")

    def noted(self, address: str) -> str:
        """Return the name of the service alone, for what follows may be used by whoever reads it."""
        return f"{address.partition('://')[0]}://…" if "://" in address else "…"

    def send(self, message: Message) -> None:
        """Send the title, and below it the body and the link."""
        import apprise

        sender = apprise.Apprise()
        if not sender.add(message.address):
            raise Undeliverable("Apprise does not know such an address.", reason="bounced")
        body = "\n".join(filter(None, [message.body, message.url])) or message.title
        if not sender.notify(title=message.title, body=body, body_format=apprise.NotifyFormat.TEXT):
            raise TryLater("Apprise could not send it; its log says why.")

    def problems(self) -> Sequence[str]:
        """Say that Apprise is not installed."""
        return () if find_spec("apprise") else ["It needs the package apprise: pip install 'django-carillon[apprise]'."]
