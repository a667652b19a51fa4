"""Delivery channels: how a message gets to an address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from ..conf import conf
from ..models import Notice
from .messages import Message
from .readers import Reader


class DeliveryChannel:
    """A way to reach people beyond the site: derive from it, and name the class in ``NOTIFICATIONS_CHANNELS``.

    One instance serves the process, in several threads at the same time.
    """

    no_address: ClassVar[str] = "no-address"
    """The reason given where `address` finds none."""

    has_devices: ClassVar[bool] = False
    """Whether a user has a delivery for each of some devices, which `devices` names."""

    disturbs: ClassVar[bool] = True
    """Whether it makes a noise, and so waits for the end of quiet hours."""
    for_people: ClassVar[bool] = True
    """Whether people read it. Programs are told whatever somebody has seen, and of every event of an item."""

    def __init__(self, name: str, **options: Any) -> None:
        """Take the channel's name and the ``OPTIONS`` of the settings.

        Raises:
            TypeError: There are options that the channel does not know.
        """
        if options:
            raise TypeError(f"The channel {name!r} has no options {', '.join(sorted(options))}.")
        self.name = name

    def devices(self, pks: Sequence[Any], using: str) -> Mapping[Any, Sequence[str]]:
        """Return the devices of users, by primary key, with one query; asked where `has_devices`.

        A device is your own name for it, of at most 64 characters.
        """
        raise NotImplementedError

    def devices_for(self, notice: Notice, pks: Sequence[Any], using: str) -> Mapping[Any, Sequence[str]]:
        """Return the devices of users that take a notice: all that there are, unless the channel says otherwise."""
        return self.devices(pks, using)

    def address(self, user: Any) -> str:
        """Return where a user is reached; empty where nowhere. Not asked where `has_devices`.

        Raises:
            Undeliverable: Nothing is tried there, for the reason that it has.
        """
        raise NotImplementedError

    def noted(self, address: str) -> str:
        """Return what is noted of an address with its delivery, for staff: all of it, unless a part of it is secret."""
        return address

    def reader(self, reader: Reader, address: str) -> Reader:
        """Return how a user reads at an address or on a device: as everywhere, unless you know better."""
        return reader

    def send(self, message: Message) -> None:
        """Send a message. It is called outside of transactions, and must end within half a minute.

        A worker may be killed before it has noted that it has sent something, and another one sends it again:
        `Message.id` is the same then, so that the other side can tell.

        Raises:
            TryLater: It should be tried again; so should it for any exception but the next one.
            Undeliverable: It never will be taken.
        """
        raise NotImplementedError

    def problems(self) -> Sequence[str]:
        """Return what is wrong with the site's settings, in sentences that name the fix; ``check`` shows them."""
        return ()


@cache
def channel(name: str) -> DeliveryChannel:
    """Return what sends a channel.

    Raises:
        LookupError: Nothing sends it.
        ImportError: Its class cannot be imported.
        TypeError: It is no delivery channel, or does not know one of its options.
    """
    said = conf.CHANNELS.get(name)
    if said is None or not said.backend:
        raise LookupError(f"Nothing sends the channel {name!r}: give it a BACKEND in NOTIFICATIONS_CHANNELS.")
    made = import_string(said.backend)(name, **said.options)
    if not isinstance(made, DeliveryChannel):
        raise TypeError(f"{said.backend} must be derived from notifications.deliveries.DeliveryChannel.")
    return made


def made_channel(name: str) -> DeliveryChannel | None:
    """Return what sends a channel; None if it cannot be made, whatever its class raises.

    It is for those who only ask about it: nobody's transaction, page or turn fails because of one channel. A check says
    what is wrong with it, and so does each delivery that is tried.
    """
    try:
        return channel(name)
    except Exception:  # noqa: BLE001  # whatever the site's class raises
        return None


def _forget(setting: str, **kwargs: Any) -> None:
    if setting.startswith(("NOTIFICATIONS_", "EMAIL_", "MAILERS")):
        channel.cache_clear()


setting_changed.connect(_forget, dispatch_uid="carillon.delivery_channels")
