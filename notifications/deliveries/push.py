"""The channel ``push``: notifications that a browser shows while the site is closed."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import cache
from ipaddress import ip_network
from ssl import SSLContext
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from django.utils import timezone

from ..exceptions import TryLater, Undeliverable
from ..inbox.counts import counts
from ..models import Delivery, PushDevice
from . import devices, vapid
from .channels import DeliveryChannel, made_channel
from .destinations import Destinations
from .messages import Message
from .outgoing import Answer, post, retry_after, tls_context
from .push_messages import headers_of, payload_of
from .readers import Reader, has_chosen_language

CHANNEL: Final = "push"
GONE: Final = (403, 404, 410)  # the subscription has ended, or was made for another key of the site's
PAYLOAD_TOO_LARGE: Final = 413
LATER: Final = (401, 408, 425, 429)  # and all from 500 on
TIME: Final = 12.0  # seconds for one request; two of them are less than half a minute
LOOPBACK: Final = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
THIS_MACHINE: Final = ("localhost", "127.0.0.1", "::1")

logger = logging.getLogger("notifications")


class PushChannel(DeliveryChannel):
    """Push to the browsers in which a user wanted it: Web Push, RFC 8030, 8291 and 8292."""

    no_address: ClassVar[str] = Delivery.Reason.NO_DEVICE
    has_devices: ClassVar[bool] = True

    def __init__(
        self,
        name: str,
        *,
        private_key: str = "",
        subject: str = "",
        icon: str = "",
        allow_loopback: bool = False,
        **options: Any,
    ) -> None:
        """Take the settings.

        Args:
            name: The channel's.
            private_key: As ``manage.py carillon_vapid`` makes it.
            subject: How people of the push services reach the site's: ``mailto:`` or ``https://``.
            icon: The address of a picture that browsers show beside each notification.
            allow_loopback: Whether a push service may be this machine itself; for tests and development.
            options: None that it knows.
        """
        super().__init__(name, **options)
        self._private_key = private_key
        self._subject = subject
        self.icon = icon
        self._loopback = allow_loopback

    @property
    def public_key(self) -> str:
        """Return the key that browsers are given when they subscribe."""
        return vapid.public_key(self._private_key)

    def devices(self, pks: Sequence[Any], using: str) -> Mapping[Any, Sequence[str]]:
        """Return the devices of users."""
        return devices.names_of(pks, using)

    def reader(self, reader: Reader, address: str) -> Reader:
        """Return a reader in the language that they have chosen, else in that of the page which turned pushes on."""
        device = devices.find(reader.user, address)
        if device is None or device.language in ("", reader.language) or has_chosen_language(reader.user):
            return reader
        return reader._replace(language=device.language)

    def check_endpoint(self, endpoint: str) -> None:
        """Raise `ValueError` for an endpoint to which nothing may be sent."""
        self._destinations(endpoint).target(endpoint)

    def send(self, message: Message) -> None:
        """Push a message to one device; what its service takes for too large is sent again without its text."""
        device = devices.find(message.user, message.address)
        if device is None:
            raise Undeliverable("The device was removed.", reason=Delivery.Reason.NO_DEVICE)
        if not devices.is_confirmed(device, message.user):
            raise Undeliverable("The password was changed since.", reason=Delivery.Reason.NO_DEVICE)
        unread = counts([message.user.pk])[message.user.pk].unread
        answer = self._post(device, message, payload_of(message, unread))
        if answer.status == PAYLOAD_TOO_LARGE:
            answer = self._post(device, message, payload_of(message, unread, small=True))
        if 200 <= answer.status < 300:
            devices.note_use(device)
        else:
            self._refused(device, answer)

    def problems(self) -> Sequence[str]:
        """Return what the settings lack."""
        if not vapid.is_installed():
            return ["pywebpush and py-vapid are missing: pip install django-carillon[push]."]
        if not self._private_key or not self._subject:
            return ["its OPTIONS need a private_key and a subject: manage.py carillon_vapid prints them."]
        found = []
        try:
            vapid.public_key(self._private_key)
        except ValueError as bad:
            found.append(f"private_key: {bad}")
        if not vapid.SUBJECT.fullmatch(self._subject):
            found.append(
                "subject must be an address that push services can write to, such as mailto:admin@example.com or "
                f"https://example.com, without brackets, spaces and path, not {self._subject!r}."
            )
        return found

    def _post(self, device: PushDevice, message: Message, payload: bytes) -> Answer:
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Encoding": "aes128gcm",
            "Authorization": self._authorization(device.endpoint),
            **headers_of(message, timezone.now()),
        }
        body = vapid.encrypt(payload, {"p256dh": device.p256dh, "auth": device.auth})
        try:
            allowed = self._destinations(device.endpoint)
            return post(device.endpoint, body, headers, allowed, timeout=TIME, tls=_tls())
        except ValueError as forbidden:
            raise Undeliverable(f"The device's endpoint: {forbidden}") from forbidden
        except OSError as error:
            raise TryLater(f"The push service was not reached: {error}") from error

    def _destinations(self, endpoint: str) -> Destinations:
        """Return where an endpoint may lead: into the internet, or to this machine where the settings say so."""
        parts = urlsplit(endpoint)
        if not (self._loopback and parts.hostname in THIS_MACHINE and parts.port):
            return Destinations()
        return Destinations(frozenset({"http", "https"}), frozenset({parts.port}), networks=LOOPBACK)

    def _authorization(self, endpoint: str) -> str:
        parts = urlsplit(endpoint)
        return vapid.authorization(self._private_key, self._subject, f"{parts.scheme}://{parts.netloc}")

    def _refused(self, device: PushDevice, answer: Answer) -> None:
        if answer.status in GONE:
            devices.retire(device)
            if answer.status == 403:
                logger.warning(
                    "A push service refused the site's key for a device, which was removed. If it does so for all: "
                    "private_key was changed, subject is not to its liking, or this machine's clock is wrong."
                )
            told = f"The push service knows no such device ({answer.status})."
            raise Undeliverable(told, reason=Delivery.Reason.NO_DEVICE)
        told = f"The push service answered {answer.status}."
        if answer.status in LATER or answer.status >= 500:
            raise TryLater(told, after=retry_after(answer.headers.get("Retry-After", "")))
        raise Undeliverable(told)


@cache
def _tls() -> SSLContext:
    return tls_context()


def offered_push() -> PushChannel | None:
    """Return the channel by which this site pushes; None where it does not, or lacks something."""
    found = made_channel(CHANNEL)
    return found if isinstance(found, PushChannel) and not found.problems() else None
