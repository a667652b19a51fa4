"""The verbs that ask anew who may follow a feed."""

from __future__ import annotations

from django.contrib.auth import get_user_model

from ..annotations import User, UserKey
from ..live import relay, revocation
from ..live.transactions import after_commit
from ..signals import access_revoked
from ..twins import twin
from .following import AccessChanged, key_of
from .registry import find
from .stream import FEED


def recheck_feed(feed: str) -> None:
    """Ask again who may follow a feed, now, here and through the broker in every process; tell those who no longer may.

    Call it when the answer of your function has changed for many; for one user, `revoke_access` asks less. Without it,
    and without a broker in other processes, open connections are asked in rounds.

    Args:
        feed: The feed's name.

    Raises:
        UnknownFeed: No app has declared it.
    """
    key = key_of(find(feed))
    after_commit(lambda: relay.post(AccessChanged(*key)), FEED.alias)


def revoke_access(user: User | UserKey, *, feed: str | None = None, reason: str = "") -> None:
    """End a user's connections or, with `feed`, that the user follows a feed, in every process.

    Without `feed` all connections end: event streams, held polls and sockets. Open pages say that they are closed. Who
    still has a valid session can load the page anew: to keep somebody out, deactivate the account or delete its
    sessions first.

    With `feed` the function that declares the feed decides, as ever: it is asked now, for this user alone, and where it
    says no, the user's pages are told so and the rest of their connections goes on. So change what it looks at first.

    It joins the caller's transaction and acts after its commit.

    Args:
        user: A user or a user's primary key.
        feed: The name of a feed, for example ``"orders:42"``; None for all connections.
        reason: The reason, for the receivers of `signals.access_revoked`; it is not sent to clients.

    Raises:
        UnknownFeed: No app has declared the feed.
        ValueError: The user was not saved yet.
    """
    if feed is None:
        revocation.revoke_all(user, reason)
        return
    find(feed)
    pk = revocation.key_of(user)

    def ask() -> None:
        relay.recheck([str(pk)])
        access_revoked.send_robust(sender=get_user_model(), user=pk, feed=feed, reason=reason)

    after_commit(ask, FEED.alias)


arecheck_feed = twin(recheck_feed)
arevoke_access = twin(revoke_access)
