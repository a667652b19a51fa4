"""Following feeds: who may, from which position, and how an open connection takes a feed up and lets it go."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.db import transaction

from ..exceptions import UnknownFeed
from ..live import access, relay
from ..live.batch import Access
from ..live.cursor import START, Position
from ..live.frames import Frame, frame
from ..live.hub import Connection
from ..live.messages import Message, handles
from ..live.relay import Relay
from ..live.streams import Key
from ..twins import twin
from .frames import FeedStatus
from .policies import Nothing
from .publishing import LIVE_ONLY
from .registry import ResolvedFeed, find
from .stream import FEED, name_of, remember

FEEDS_LIMIT = 100  # feeds that one connection may follow


class Wanted(NamedTuple):
    """A feed that somebody may follow, with the stream that holds it and where the reader is in it."""

    name: str
    key: Key
    position: Position


class Follow(Message, frozen=True, tag="follow"):
    """A connection, in whatever process it is, follows feeds from now on: name, stream and position of each."""

    connection: str
    owner: str
    feeds: list[tuple[str, str, str, str, int]]


class Unfollow(Message, frozen=True, tag="unfollow"):
    """A connection no longer follows feeds: the streams of each."""

    connection: str
    owner: str
    feeds: list[tuple[str, str]]


class AccessChanged(Message, frozen=True, tag="feed-access"):
    """Ask anew who may follow a feed."""

    type: str
    pk: str


def decide(user: Any, names: Iterable[str], since: Mapping[str, Position]) -> tuple[list[Wanted], list[FeedStatus]]:
    """Decide who may follow what. It may query the database, once or more for each feed.

    Args:
        user: Who asks.
        names: The names of feeds; what is beyond the limit of a connection is refused.
        since: The reader's positions, by the streams' names in cursors.

    Returns:
        The feeds that may be followed, and why the others may not.
    """
    wanted: list[Wanted] = []
    refused: list[FeedStatus] = []
    for number, name in enumerate(dict.fromkeys(names)):
        if number >= FEEDS_LIMIT:
            refused.append(FeedStatus(name, "too-many", f"A connection may follow {FEEDS_LIMIT} feeds."))
            continue
        try:
            feed = find(name)
        except UnknownFeed as unknown:
            refused.append(FeedStatus(name, "unknown", str(unknown)))
            continue
        if feed.allows(user):
            key = key_of(feed)
            wanted.append(Wanted(name, key, since.get(FEED.cursor_name(feed.pk), START)))
        else:
            refused.append(FeedStatus(name, "denied"))
    return wanted, refused


def key_of(feed: ResolvedFeed) -> Key:
    """Return the key under which a feed's readers listen."""
    remember(feed.name)
    return Key(LIVE_ONLY, feed.name) if isinstance(feed.rules.keep, Nothing) else FEED.key(feed.pk)


def keys_of(names: Iterable[str]) -> list[Key]:
    """Return the keys of feeds; names that nobody has declared are passed over."""
    found = []
    for name in names:
        with suppress(UnknownFeed):
            found.append(key_of(find(name)))
    return found


def status(name: str, state: Any = "live") -> Frame:
    """Return the frame that says that a feed is followed, or no longer."""
    return frame(FeedStatus(name, state))


def follow(connection: str, owner: str, wanted: Sequence[Wanted]) -> None:
    """Have a connection, in whatever process it is, take up feeds; its client is told there when it has."""
    if wanted:
        relay.post(Follow(connection, owner, [(one.name, *one.key, *one.position) for one in wanted]))


def unfollow(connection: str, owner: str, keys: Iterable[Key]) -> None:
    """Have a connection let feeds go."""
    relay.post(Unfollow(connection, owner, [(key.type, key.pk) for key in keys]))


def attach(relay: Relay, connection: Connection, wanted: Wanted) -> None:
    """Let a connection of this process take up a feed, unless it has it or has too many."""
    if any(subscription.key == wanted.key for subscription in connection.subscriptions):
        relay.hub.send(connection, status(wanted.name))
    elif sum(is_feed(subscription.key) for subscription in connection.subscriptions) >= FEEDS_LIMIT:
        relay.hub.send(connection, status(wanted.name, "too-many"))
    else:
        relay.hub.send(connection, status(wanted.name))
        relay.hub.attach(connection, wanted.key, wanted.position)


def is_feed(key: Key) -> bool:
    """Return whether a stream is a feed."""
    return key.type in (FEED.name, LIVE_ONLY)


@handles(Follow)
def _on_follow(relay: Relay, message: Follow) -> None:
    connection = _connection(relay, message.owner, message.connection)
    if connection is not None:
        for name, kind, pk, epoch, modseq in message.feeds:
            remember(name)
            attach(relay, connection, Wanted(name, Key(kind, pk), Position(epoch, modseq)))


@handles(Unfollow)
def _on_unfollow(relay: Relay, message: Unfollow) -> None:
    connection = _connection(relay, message.owner, message.connection)
    if connection is not None:
        gone = {Key(kind, pk) for kind, pk in message.feeds}
        for subscription in connection.subscriptions:
            if subscription.key in gone:
                relay.hub.detach(subscription)


@handles(AccessChanged)
def _on_access_changed(relay: Relay, message: AccessChanged) -> None:
    relay.recheck.soon([], [message.type])


def _connection(relay: Relay, owner: str, name: str) -> Connection | None:
    return next((one for one in relay.hub.owners.get(owner, ()) if one.name == name), None)


@access.guard(LIVE_ONLY)
def _may_hear_live(listeners: Mapping[str, Collection[str]]) -> dict[str, Access]:
    return {name: _access(name, owners) for name, owners in listeners.items()}


@access.guard(FEED.name)
def _may_hear(listeners: Mapping[str, Collection[str]]) -> dict[str, Access]:
    named = {pk: name_of(int(pk)) for pk in listeners}
    return {pk: _access(name, listeners[pk]) for pk, name in named.items() if name is not None}


def _access(name: str, owners: Collection[str]) -> Access:
    """Ask the feed about each of its readers."""
    farewell = status(name, "denied")
    try:
        feed = find(name)
    except UnknownFeed:
        return Access(frozenset(), status(name, "ended"))
    users = access.users_of(owner for owner in owners if owner)
    allowed = {owner for owner, user in users.items() if _allows(feed, user)}
    if "" in owners and _allows(feed, AnonymousUser()):
        allowed.add("")
    return Access(frozenset(allowed), farewell)


def _allows(feed: ResolvedFeed, user: Any) -> bool:
    try:
        return feed.allows(user)
    except Exception:  # noqa: BLE001  # a function of the site's: what it cannot say is no
        return False


def recheck_feed(feed: str) -> None:
    """Ask again, in every process and at once, who may follow a feed; whoever no longer may is unsubscribed, and told.

    Call it when the answer of your function has changed. Without it, open connections are asked in rounds.

    Args:
        feed: The feed's name.

    Raises:
        UnknownFeed: No app has declared it.
    """
    key = key_of(find(feed))
    transaction.on_commit(lambda: relay.post(AccessChanged(*key)), using=FEED.alias, robust=True)


arecheck_feed = twin(recheck_feed)
