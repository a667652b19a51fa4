"""The calls of django-eventstream 5, for code that has not been changed yet: only the import changes.

Each channel must be declared as a feed; ``docs/how-to/migrate-from-django-eventstream.md`` says how, and what differs.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from ..annotations import User
from ..services import publish, recheck_feed

__all__ = ["channel_permission_changed", "send_event"]


def send_event(
    channel: str,
    event_type: str,
    data: Any,
    skip_user_ids: Collection[Any] | None = None,
    async_publish: bool = True,
    json_encode: bool = True,
) -> None:
    """Publish an event, as `publish` does: it joins the transaction, and works in every process.

    Args:
        channel: The name of a feed.
        event_type: The event's name.
        data: A JSON object.
        skip_user_ids: Nobody can be skipped: what is the same for all readers is sent to all of them.
        async_publish: Of no effect: it never waits for readers.
        json_encode: False where `data` is already text with a JSON object.

    Raises:
        UnknownFeed: Nobody has declared the feed.
        ValidationError: The data cannot be published; it is no JSON object, for example.
        NotImplementedError: Somebody is to be skipped.
    """
    if skip_user_ids:
        raise NotImplementedError(
            "A feed has the same events for all who follow it. Leave skip_user_ids out, and have the page pass over "
            "its user's own events, or publish in a feed for each user."
        )
    publish(channel, data if json_encode else json.loads(data), event=event_type)


def channel_permission_changed(user: User | None, channel: str) -> None:
    """Ask again who may follow a feed, as `recheck_feed` does: every reader is asked about, not just `user`."""
    recheck_feed(channel)
