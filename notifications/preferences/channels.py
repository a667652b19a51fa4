"""Channels: the ways by which a notification may reach its recipient."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..conf import ChannelSettings, conf

Value = Literal["on", "off", "digest"]

BELL_CHANNEL: Final = "bell"
TOAST_CHANNEL: Final = "toast"
HERE: Final = (
    BELL_CHANNEL,
    TOAST_CHANNEL,
)  # those that need nothing but the site, and are on unless somebody says otherwise
BUILT_IN: Final = {
    BELL_CHANNEL: gettext_lazy("Inbox"),
    TOAST_CHANNEL: gettext_lazy("Pop-up"),
    "email": gettext_lazy("E-mail"),
    "push": gettext_lazy("Push"),
}


class Channel(NamedTuple):
    """A channel: its name, what people call it, what it is by default and what it may be."""

    name: str
    label: str | Promise
    default: Value
    values: tuple[Value, ...]


def channels() -> dict[str, Channel]:
    """Return all channels by name: those of Carillon, and those of ``NOTIFICATIONS_CHANNELS``."""
    said = conf.CHANNELS
    return {name: _channel(name, said.get(name, ChannelSettings())) for name in {**BUILT_IN, **said}}


def offered() -> list[Channel]:
    """Return the channels among which people choose: bell and toast, and those of ``NOTIFICATIONS_CHANNELS``."""
    every = channels()
    return [every[name] for name in dict.fromkeys([*HERE, *conf.CHANNELS])]


def sent() -> list[str]:
    """Return the names of the channels by which Carillon sends: those of ``NOTIFICATIONS_CHANNELS`` with a backend."""
    return [name for name, said in conf.CHANNELS.items() if said.backend]


def _channel(name: str, said: ChannelSettings) -> Channel:
    label = said.label or BUILT_IN.get(name) or name
    return Channel(name, label, "on", ("on", "off")) if name in HERE else Channel(name, label, said.default, ANY)


ANY: Final[tuple[Value, ...]] = ("on", "off", "digest")


def channel_named(name: object) -> Channel:
    """Return the channel of a name.

    Raises:
        ValidationError: There is none; the message lists those that there are.
    """
    every = channels()
    if not isinstance(name, str) or name not in every:
        message = _("Unknown channel “%(name)s”. Channels: %(names)s.")
        raise ValidationError({"channel": message % {"name": str(name)[:100], "names": ", ".join(every)}})
    return every[name]


def validate_sent(names: Iterable[str]) -> None:
    """Accept names of channels by which Carillon sends.

    Raises:
        ValidationError: One is not; the message lists those that are.
    """
    known = sent()
    if unknown := [name for name in names if name not in known]:
        message = _("Nothing is sent by “%(name)s”. Channels: %(names)s.")
        raise ValidationError(message % {"name": "”, “".join(unknown), "names": ", ".join(known) or "–"})


def value_of(channel: Channel, value: object) -> Value:
    """Return what is wanted of a channel; True and False mean on and off.

    Raises:
        ValidationError: It cannot be wanted of this channel; the message lists what can.
    """
    plain = {True: "on", False: "off"}[value] if isinstance(value, bool) else value
    for known in channel.values:
        if plain == known:
            return known
    message = _("“%(channel)s” can be %(values)s.") % {"channel": channel.name, "values": ", ".join(channel.values)}
    raise ValidationError({"value": message})
