"""The verb of feeds: publish an event."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

import msgspec
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from django.utils.translation import gettext as _

from ..live import relay
from ..live.coalesce import Coalescer, after
from ..live.commit import sequence_after_commit
from ..live.frames import frame
from ..live.streams import Key
from ..live.transactions import after_commit, atomic, retried
from ..models import FeedEvent
from ..tenants import PerTenant
from ..twins import twin
from ..validators import validate_text
from .frames import Event, FeedEvents
from .policies import Latest, Nothing
from .registry import ResolvedFeed, find, validated
from .stream import FEED, remember, trim

EVENT_BYTES = 8 * 1024  # of JSON; of what is larger, publish a reference
EVENT_LENGTH = 100  # characters of an event's name
VALUE_KEY_LENGTH = 200  # characters of the key of a value
MANY = 1_000  # events published by one call
TRIM_EVERY = 1.0  # seconds between two looks, by one process, at what a feed may let go
TRIM_AFTER = 100  # events that it has published in the feed since it looked last; a periodic task sees to the rest
LOOKED_LIMIT = 10_000  # feeds remembered so
TRIM_STEPS = 20  # steps of one look; a server's periodic task does the rest

HELD_BACK = 100  # events of a feed that keeps nothing, while its pace holds them back

LIVE_ONLY = "feed-live"  # type of the keys of feeds that keep nothing


class Publication(NamedTuple):
    """One event for `publish_many`: the feed's name, the data and the event's name."""

    feed: str
    data: object
    event: str = "message"


class _Made(NamedTuple):
    """A publication that was checked."""

    feed: ResolvedFeed
    event: str
    key: str
    data: bytes


def publish(feed: str, data: object, *, event: str = "message") -> None:
    """Publish an event in a feed.

    It joins the caller's transaction: whoever follows the feed hears of it after the commit, and nobody does if it is
    rolled back. It takes no lock in that transaction.

    Args:
        feed: The feed's name, for example ``"orders:42"``; an app declares it with ``@feed``.
        data: A JSON object (a mapping, a dataclass or a msgspec struct) of at most 8 KiB. Of what is larger, publish
            a reference.
        event: What kind of event it is, for your own front end; at most 100 characters.

    Raises:
        UnknownFeed: Nobody has declared the feed; the message lists what is declared.
        ValidationError: The data or the event's name cannot be published; nothing is written.
    """
    publish_many([Publication(feed, data, event)])


def publish_many(publications: Iterable[Publication | tuple[Any, ...]]) -> None:
    """Publish events, of one feed or of many, in order and together: with a few statements for each hundred.

    Args:
        publications: At most 1,000 of `Publication`, or plain tuples ``(feed, data)`` or ``(feed, data, event)``.

    Raises:
        UnknownFeed: Nobody has declared one of the feeds.
        ValidationError: One cannot be published; nothing is written.
    """
    made = [_made(Publication(*one)) for one in publications]
    if len(made) > MANY:
        raise ValidationError(_("At most %(limit)s events at a time.") % {"limit": MANY}, code="too_many")
    kept = [one for one in made if not isinstance(one.feed.rules.keep, Nothing)]
    if kept:
        _store(kept)
    if live := [one for one in made if isinstance(one.feed.rules.keep, Nothing)]:
        after_commit(lambda: _tell(live), FEED.alias)


apublish = twin(publish)
apublish_many = twin(publish_many)


def _made(publication: Publication) -> _Made:
    feed = find(publication.feed)
    event = publication.event
    if not isinstance(event, str) or not 1 <= len(event) <= EVENT_LENGTH:
        message = _("The name of an event has 1 to %(limit)s characters.")
        raise ValidationError({"event": message % {"limit": EVENT_LENGTH}})
    validate_text(event)
    try:
        value = validated(feed, publication.data)
        plain = msgspec.to_builtins(value, enc_hook=DjangoJSONEncoder().default)
    except (msgspec.ValidationError, TypeError, ValueError) as error:
        raise ValidationError(
            {"data": _("The data of %(feed)s: %(reason)s") % {"feed": feed.name, "reason": error}}
        ) from error
    if not isinstance(plain, dict):
        raise ValidationError({"data": _("Data must be a JSON object (a dict).")})
    data = msgspec.json.encode(plain)
    if len(data) > EVENT_BYTES:
        message = _(
            "An event has at most %(limit)s bytes of JSON, and this one has %(size)s. Publish a reference to it."
        )
        raise ValidationError({"data": message % {"limit": EVENT_BYTES, "size": len(data)}})
    return _Made(feed, event, _key(feed, plain), data)


def _key(feed: ResolvedFeed, plain: Mapping[str, Any]) -> str:
    """Return the key of a value, in a feed that keeps the latest one of each."""
    policy = feed.rules.keep
    if not isinstance(policy, Latest) or policy.key is None:
        return ""
    value = plain.get(policy.key)
    if not isinstance(value, str | int) or isinstance(value, bool) or not 0 < len(str(value)) <= VALUE_KEY_LENGTH:
        message = _("The feed %(feed)s needs a text or a whole number as “%(field)s”, of at most %(limit)s characters.")
        raise ValidationError({"data": message % {"feed": feed.name, "field": policy.key, "limit": VALUE_KEY_LENGTH}})
    return str(value)


@retried(lambda kept: FEED.alias)
def _store(kept: list[_Made]) -> None:
    now = timezone.now()
    rows = [
        FeedEvent(feed_id=remember(one.feed.name), event=one.event, key=one.key, data=one.data.decode(), created_at=now)
        for one in kept
    ]
    with atomic(FEED.alias):
        FEED.entries().bulk_create(rows)
        sequence_after_commit(FEED, dict.fromkeys(row.feed_id for row in rows))
        published = Counter(one.feed.name for one in kept)
        after_commit(lambda: _trim(published), FEED.alias)


_looked: PerTenant[dict[str, tuple[float, int]]] = PerTenant(
    dict
)  # when this process looked last, and how much it has published since


def _trim(published: Mapping[str, int]) -> None:
    """Let go what the policies say, of a feed once a second at most; one in which little is published can wait."""
    now, looked = time.monotonic(), _looked()
    if len(looked) > LOOKED_LIMIT:
        looked.clear()
    for name, count in published.items():
        at, before = looked.get(name, (-TRIM_EVERY, 0))
        looked[name] = at, before + count
        if before + count >= TRIM_AFTER and at <= now - TRIM_EVERY:
            looked[name] = now, 0
            for _step in range(TRIM_STEPS):
                if not trim(name):
                    break


def _tell(live: list[_Made]) -> None:
    """Send what is not kept to those who are connected: at once, or as often as the feed's pace lets it."""
    now = timezone.now()
    by_feed: dict[str, list[msgspec.Raw]] = {}
    paces: dict[str, float] = {}
    for one in live:
        told = Event(0, 0, one.event, one.key, msgspec.Raw(one.data), now)
        by_feed.setdefault(one.feed.name, []).append(msgspec.Raw(msgspec.json.encode(told)))
        paces[one.feed.name] = one.feed.rules.every
    for name, events in by_feed.items():
        if paces[name]:
            _coalescer(paces[name]).show(name, "", tuple(events))
        else:
            _send(name, {"": tuple(events)})


@cache
def _coalescer(pace: float) -> Coalescer[str, str, tuple[msgspec.Raw, ...]]:
    """Return what holds the events of feeds of one pace back; of a flood it keeps the newest."""
    return Coalescer(_send, lambda before, more: (*before, *more)[-HELD_BACK:], after(pace))


def _send(name: str, told: Mapping[str, tuple[msgspec.Raw, ...]]) -> None:
    events = [event for some in told.values() for event in some]
    relay.publish_ephemeral(Key(LIVE_ONLY, name), frame(FeedEvents(name, None, None, events)))
