"""Carillon's settings: one typed property each, with its default, read when used.

A project sets them as ``NOTIFICATIONS_<NAME>`` in its Django settings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, cast

from django.conf import settings
from django.utils.functional import Promise
from django.utils.module_loading import import_string

from .hours import QuietHours, digest_hour, quiet_week

SPARE_THREADS = 3  # for answers, and for writes, beside the usual ones while those wait for a lock or a network
DECIDING_THREADS = 8  # that decide who may open a stream, at most, while some of them wait in the site's middleware

CHANNEL_LENGTH = 60  # characters
_CHANNEL = re.compile(r"[a-z][a-z0-9_-]*(?::[a-z0-9_.-]+)?")  # "sms", "webhook:billing"
_CATEGORY = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]+")

# What a number must exceed to make sense.
POSITIVE = {
    "HEARTBEAT": 1.0,  # the timer's resolution
    "MAX_AGE": 1.0,
    "MAX_BYTES": 0,
    "MAX_STREAMS": 0,
    "MAX_STREAMS_PER_USER": 0,
    "MAX_ANONYMOUS_STREAMS": -1,
    "MAX_STREAMS_PER_ADDRESS": 0,
    "PROXIES": -1,
    "HANDOFF_THREADS": 0,
    "DATABASE_THREADS": 0,
    "RECONCILE": 0.0,
    "RECHECK": 0.0,
    "RETENTION": timedelta(0),
    "MESSAGE_RETENTION": timedelta(0),
    "DELIVERY_RETENTION": timedelta(0),
    "DELIVERY_THREADS": -1,
}


# What sends the channels that Carillon knows, unless the settings say otherwise.
BACKENDS: Mapping[str, str] = {
    "email": "notifications.deliveries.email.EmailChannel",
    "push": "notifications.deliveries.push.PushChannel",
    "webhook": "notifications.deliveries.webhook.Webhooks",
}


class ChannelSettings(NamedTuple):
    """What the settings say of a channel; one without a `backend` is for the site's own code to send."""

    label: str | Promise = ""
    backend: str = ""  # the dotted path of a `DeliveryChannel`
    default: Literal["on", "off", "digest"] = "off"
    options: Mapping[str, Any] = MappingProxyType({})


def _channel_settings(name: str, said: object) -> ChannelSettings:
    """Return what a value of ``NOTIFICATIONS_CHANNELS`` says: a label, or ``LABEL``, ``BACKEND``, and so on."""
    given = {"LABEL": said} if isinstance(said, str | Promise) else said
    known = {"LABEL": "", "BACKEND": BACKENDS.get(name.partition(":")[0], ""), "DEFAULT": "off", "OPTIONS": {}}
    if not isinstance(given, Mapping) or not given.keys() <= known.keys():
        raise TypeError(f"{name!r} must be a label, or a dictionary of {', '.join(known)}")
    values = known | dict(given)
    if not isinstance(values["LABEL"], str | Promise):
        raise TypeError(f"the label of {name!r} must be text")
    if not isinstance(values["BACKEND"], str):
        raise TypeError(f"the BACKEND of {name!r} must be the dotted path of a class")
    if values["DEFAULT"] not in ("on", "off", "digest"):
        raise ValueError(f'the DEFAULT of {name!r} must be "on", "off" or "digest"')
    if not isinstance(values["OPTIONS"], Mapping):
        raise TypeError(f"the OPTIONS of {name!r} must be a dictionary")
    return ChannelSettings(values["LABEL"], values["BACKEND"], values["DEFAULT"], values["OPTIONS"])


class Conf:
    """Read ``NOTIFICATIONS_*`` from Django's settings; ``docs/reference/settings.md`` has a row for each."""

    def _get(self, name: str, default: Any) -> Any:
        return getattr(settings, f"NOTIFICATIONS_{name}", default)

    @property
    def HEARTBEAT(self) -> float:
        """Seconds of silence after which a stream gets a heartbeat; proxies cut a silent one at 60."""
        return float(self._get("HEARTBEAT", 25.0))

    @property
    def MAX_AGE(self) -> float:
        """Seconds after which a stream ends with ``bye``, ±20 %, so that permissions are checked again."""
        return float(self._get("MAX_AGE", 900.0))

    @property
    def MAX_BYTES(self) -> int:
        """Bytes after which a stream ends with ``bye``: Daphne never pushes back, so this bounds its buffer."""
        return int(self._get("MAX_BYTES", 4 * 1024 * 1024))

    @property
    def MAX_STREAMS(self) -> int:
        """Open connections in one process; one more is answered 503 with ``Retry-After``."""
        return int(self._get("MAX_STREAMS", 10_000))

    @property
    def MAX_STREAMS_PER_USER(self) -> int:
        """Open connections of one user in one process; one more is answered 429 with ``Retry-After``."""
        return int(self._get("MAX_STREAMS_PER_USER", 50))

    @property
    def MAX_ANONYMOUS_STREAMS(self) -> int:
        """Open connections of all who are not signed in, to public feeds, in one process; 0 refuses them."""
        return int(self._get("MAX_ANONYMOUS_STREAMS", 1_000))

    @property
    def MAX_STREAMS_PER_ADDRESS(self) -> int | None:
        """Open connections from one address in one process; one more is answered 429. None means any number."""
        value = self._get("MAX_STREAMS_PER_ADDRESS", None)
        return None if value is None else int(value)

    @property
    def PROXIES(self) -> int:
        """Proxies of your own before this process, each of which adds an address to ``X-Forwarded-For``."""
        return int(self._get("PROXIES", 0))

    @property
    def HANDOFF_THREADS(self) -> int:
        """Threads that decide stream requests while each is quick; up to 8 while some wait for something."""
        return int(self._get("HANDOFF_THREADS", 1))

    @property
    def DATABASE_THREADS(self) -> int:
        """Threads for each kind of database work: what moved, what clients ask for, and what they change."""
        return int(self._get("DATABASE_THREADS", 1))

    def database_connections(self) -> int:
        """Return how many database connections the threads of one process take at most, all at work at once.

        While none of them waits for something, they are fewer: without the spare ones, five by default.
        """
        decide, read, periodic = max(self.HANDOFF_THREADS, DECIDING_THREADS), self.DATABASE_THREADS, 1
        answer = write = self.DATABASE_THREADS + SPARE_THREADS
        return decide + read + answer + write + periodic

    @property
    def CHANNEL_LAYER(self) -> str:
        """Alias in ``CHANNEL_LAYERS`` of the layer that carries hints between processes."""
        return str(self._get("CHANNEL_LAYER", "default"))

    @property
    def LISTEN_URL(self) -> str | None:
        """Where to listen on PostgreSQL, past a pooler: ``postgresql://…``; empty: as the database; None: nowhere."""
        value = self._get("LISTEN_URL", "")
        return None if value is None else str(value)

    @property
    def SITE(self) -> str:
        """A name that the site's processes share, and no other site on the channel layer has; empty makes one."""
        return str(self._get("SITE", ""))

    @property
    def TENANT(self) -> str:
        """Dotted path of what tells apart the tenants that share a process, a `Tenants`; empty: there is one."""
        value = self._get("TENANT", "")
        if not isinstance(value, str):
            raise TypeError("it must be a dotted path")
        return value

    @property
    def RECONCILE(self) -> float | None:
        """Seconds between comparisons with the database; None means 30 with a broker and 1 without one."""
        value = self._get("RECONCILE", None)
        return None if value is None else float(value)

    @property
    def RECHECK(self) -> float:
        """Seconds within which the access of every open connection is rechecked."""
        return float(self._get("RECHECK", 20.0))

    @property
    def DISPLAY_NAME(self) -> Callable[[Any], str] | None:
        """How others are told of a user: a function, or its dotted path; None chooses a name that is no address."""
        return cast("Callable[[Any], str] | None", self._function("DISPLAY_NAME"))

    @property
    def AVATAR(self) -> Callable[[Any], str | None] | None:
        """How to find the picture of a user, or another actor: a function that returns its URL, or its dotted path."""
        return cast("Callable[[Any], str | None] | None", self._function("AVATAR"))

    @property
    def CHANNELS(self) -> Mapping[str, ChannelSettings]:
        """Channels beside the bell and the toast, by name: what people call each, or a dictionary that says more."""
        return {
            name: _channel_settings(name, value) for name, value in self._named("CHANNELS", _CHANNEL, CHANNEL_LENGTH)
        }

    @property
    def CATEGORIES(self) -> Mapping[str, Any]:
        """Categories of which users choose as a whole: what people call each, by name."""
        found = dict(self._named("CATEGORIES", _CATEGORY, 100))
        for name, label in found.items():
            if not isinstance(label, str | Promise):
                raise TypeError(f"the label of {name!r} must be text")
        return found

    def _named(self, name: str, form: re.Pattern[str], length: int) -> Iterator[tuple[str, Any]]:
        value = self._get(name, {})
        if not isinstance(value, Mapping):
            raise TypeError("it must be a dictionary of labels by name")
        for key, said in value.items():
            if not (isinstance(key, str) and form.fullmatch(key) and len(key) <= length):
                raise ValueError(f"{key!r} cannot be a name in it")
            yield key, said

    @property
    def PREFERENCE_DEFAULTS(self) -> Callable[[list[Any], Any], Any] | None:
        """The site's own defaults of preferences: a function of users' primary keys and a kind, or its dotted path."""
        return cast("Callable[[list[Any], Any], Any] | None", self._function("PREFERENCE_DEFAULTS"))

    @property
    def QUIET_HOURS(self) -> tuple[QuietHours, ...]:
        """When nothing that disturbs is sent to whoever has chosen no quiet hours: ``["22:00-07:00"]``."""
        return quiet_week(self._get("QUIET_HOURS", ()))

    @property
    def DIGEST(self) -> str:
        """When digests come to whoever has chosen no time: ``"08:00"``, ``"mon 09:00"`` or ``"mon-fri 07:30"``."""
        return str(digest_hour(self._get("DIGEST", "08:00")))

    def _function(self, name: str) -> object:
        value = self._get(name, None)
        try:
            function: object = import_string(value) if isinstance(value, str) else value
        except ImportError as error:
            raise ValueError(f"it cannot be imported ({error})") from error
        if function is not None and not callable(function):
            raise TypeError("it must be a function, its dotted path, or None")
        return function

    @property
    def HANDLE(self) -> str:
        """The user model's unique field by which members of a room mention each other; empty: they cannot."""
        return str(self._get("HANDLE", ""))

    @property
    def CHAT_URL(self) -> str:
        """Path of the page that shows a room, with ``{room}`` in it; notifications of messages lead there."""
        value = str(self._get("CHAT_URL", ""))
        if value and not (value.startswith(("/", "http://", "https://")) and value.count("{room}") == 1):
            raise ValueError(f"it must be a path with {{room}} in it, such as /chat/{{room}}/, not {value!r}")
        return value

    def chat_url(self, room: int) -> str:
        """Return the address of the page that shows a room; empty where the project has none."""
        return self.CHAT_URL.replace("{room}", str(room))

    @property
    def RETENTION(self) -> timedelta:
        """Age at which ``manage.py prune_notifications`` deletes archived, expired and recalled notifications."""
        value = self._get("RETENTION", timedelta(days=90))
        if not isinstance(value, timedelta):
            raise TypeError("it must be a datetime.timedelta")
        return value

    @property
    def DELIVERY_RETENTION(self) -> timedelta:
        """Age at which ``manage.py prune_notifications`` deletes what is known of deliveries, addresses included."""
        value = self._get("DELIVERY_RETENTION", timedelta(days=30))
        if not isinstance(value, timedelta):
            raise TypeError("it must be a datetime.timedelta")
        return value

    @property
    def DELIVERY_THREADS(self) -> int:
        """Deliveries that one process sends at the same time; 0 leaves them to ``manage.py carillon_deliver``."""
        return int(self._get("DELIVERY_THREADS", 2))

    @property
    def DELIVERY_TASKS(self) -> str:
        """The backend in Django's ``TASKS`` (since 6.0) whose workers are woken to send deliveries too; empty: none."""
        return str(self._get("DELIVERY_TASKS", ""))

    @property
    def BASE_URL(self) -> str:
        """The site's address, ``https://example.com``, for links in what is read elsewhere."""
        value = str(self._get("BASE_URL", "")).rstrip("/")
        if value and not value.startswith(("http://", "https://")):
            raise ValueError(f"it must begin with https:// or http://, not {value!r}")
        return value

    @property
    def MESSAGE_RETENTION(self) -> timedelta | None:
        """Age at which ``manage.py prune_notifications`` deletes chat messages; None keeps them forever."""
        value = self._get("MESSAGE_RETENTION", None)
        if not isinstance(value, timedelta | None):
            raise TypeError("it must be a datetime.timedelta or None")
        return value


conf = Conf()
