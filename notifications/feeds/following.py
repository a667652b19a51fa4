"""Following feeds: who may, from which position, and how an open connection takes a feed up and lets it go."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.db import InterfaceError, OperationalError

from ..exceptions import UnknownFeed
from ..live import access, relay
from ..live.batch import Access
from ..live.cursor import START, UNPUBLISHED, Position
from ..live.frames import Frame, frame
from ..live.hub import Connection
from ..live.messages import Message, handles
from ..live.relay import Relay
from ..live.streams import Key
from .frames import FeedStatus
from .policies import Nothing
from .publishing import LIVE_ONLY
from .registry import ResolvedFeed, find
from .stream import FEED, names_of, remember

logger = logging.getLogger("notifications")

NO_ANSWER = (OperationalError, InterfaceError)

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
        if allows(feed, user):
            wanted.append(Wanted(name, key_of(feed), since.get(FEED.cursor_name(feed.pk), START)))
        else:
            refused.append(FeedStatus(name, "denied"))
    return _checked(wanted), refused


def _checked(wanted: Sequence[Wanted]) -> list[Wanted]:
    """Begin afresh where a position is none of the feed's.

    Positions come from clients. The hub takes those of its subscriptions for true: one that is ahead of the database
    would tell it that the database has lost commits, and every reader of the feed would have to begin afresh.
    """
    safe = (START, UNPUBLISHED)
    claimed = [FEED.pk(one.key) for one in wanted if one.position not in safe and one.key.type == FEED.name]
    rows = FEED.positions.run(claimed, FEED.alias) if claimed else []
    heads = {FEED.key(pk): Position(epoch, head) for pk, epoch, head, _floor in rows}
    return [
        one if one.position in safe or _is_true(one.position, heads.get(one.key)) else one._replace(position=START)
        for one in wanted
    ]


def _is_true(claimed: Position, head: Position | None) -> bool:
    return head is not None and claimed.epoch == head.epoch and claimed.modseq <= head.modseq


def key_of(feed: ResolvedFeed) -> Key:
    """Return the key under which a feed's readers listen."""
    if isinstance(feed.rules.keep, Nothing):
        return Key(LIVE_ONLY, feed.name)
    return FEED.key(remember(feed.name))


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
        relay.recheck.opened(connection)  # it was decided before a hint that may have come since


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
    relay.recheck.soon([], keys=[Key(message.type, message.pk)])


def _connection(relay: Relay, owner: str, name: str) -> Connection | None:
    return next((one for one in relay.hub.owners.get(owner, ()) if one.name == name), None)


@access.guard(LIVE_ONLY)
def _may_hear_live(listeners: Mapping[str, Collection[str]]) -> dict[str, Access]:
    return _judge(listeners, {name: name for name in listeners})


@access.guard(FEED.name)
def _may_hear(listeners: Mapping[str, Collection[str]]) -> dict[str, Access]:
    names = names_of(map(int, listeners), FEED.alias)
    return _judge(listeners, {pk: names[int(pk)] for pk in listeners if int(pk) in names})


def _judge(listeners: Mapping[str, Collection[str]], names: Mapping[str, str]) -> dict[str, Access]:
    """Ask feeds about their readers, whom one query reads; leave out those whose database does not answer."""
    users = access.users_of({owner for owners in listeners.values() for owner in owners}) | {"": AnonymousUser()}
    found: dict[str, Access] = {}
    for pk, owners in listeners.items():
        try:
            found[pk] = _access(names.get(pk), {owner: users[owner] for owner in owners if owner in users})
        except NO_ANSWER:
            logger.exception("Who may follow the feed %s could not be asked; the next round repeats it.", names.get(pk))
    return found


def _access(name: str | None, readers: Mapping[str, Any]) -> Access:
    if name is None:  # nobody can be asked about it: its readers come again, and say which they want
        return Access(frozenset(), None)
    try:
        feed = find(name)
    except UnknownFeed:
        return Access(frozenset(), status(name, "ended"))
    return Access(frozenset(owner for owner, user in readers.items() if allows(feed, user)), status(name, "denied"))


def allows(feed: ResolvedFeed, user: Any) -> bool:
    """Return whether `user` may follow a feed; it may query the database.

    Where the site's function raises, that means no. A database that does not answer has said nothing, and is raised:
    a reader who is told no does not ask again.
    """
    try:
        return feed.allows(user)
    except NO_ANSWER:
        raise
    except Exception:
        logger.exception("Who may follow the feed %s could not be decided, so nobody may.", feed.name)
        return False
