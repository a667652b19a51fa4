"""Messages: what a channel sends, in the language of its recipient."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import translation

from ..inbox.frames import Item
from ..inbox.items import Items
from ..models import Delivery, Notification
from ..preferences.topics import topic_of
from .explaining_words import because
from .links import absolute, link_to
from .readers import Reader


@dataclass(frozen=True, slots=True)
class Part:
    """What is told of one notification.

    `url` is absolute; it leads through the site, which marks the notification as read, and is empty where there is no
    link. `events` is how many events it stands for. `notice` is the primary key of what `notify` returned.
    """

    notice: int
    kind: str
    category: str
    level: str
    title: str
    body: str
    url: str
    actor: str
    events: int
    created_at: datetime
    about: str  # what it is about, by model and key: the same for all that belongs together; empty for nothing
    data: dict[str, Any]
    item: int  # the key of the recipient's own copy, by which the site's JSON API knows it
    group: str  # what it grows in; empty where it does not grow
    expires_at: datetime | None
    target: str = ""  # the link itself, absolute: for programs, for what many read, and for who marks as read itself
    facts: dict[str, Any] | None = None  # of a declared kind, as they are stored
    version: int = 1  # of the facts


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel sends to one address.

    `id` is the same whenever the same is sent again. It has one part, or as a digest several. `title`, `body` and `url`
    are those of its first part; a digest's are its own. `language` and `time_zone` are the recipient's. `user` is None
    where it goes to what many share, as the webhook of a group is. `because` is a sentence that says why the recipient
    gets it by this channel; a digest has none.
    """

    id: str
    user: Any
    channel: str
    device: str
    address: str = field(repr=False)  # which may be secret, and logs are read by many
    language: str
    time_zone: str
    parts: Sequence[Part]
    is_digest: bool
    attempt: int
    because: str = ""

    @property
    def title(self) -> str:
        """Return the title of what it tells of first."""
        return self.parts[0].title

    @property
    def body(self) -> str:
        """Return the body of what it tells of first."""
        return self.parts[0].body

    @property
    def url(self) -> str:
        """Return the link of what it tells of first."""
        return self.parts[0].url


def message_of(delivery: Delivery, reader: Reader, address: str, rows: Iterable[Notification]) -> Message:
    """Return what a channel sends: some notifications, read `with_content()`, in the recipient's language and zone.

    Recalled ones are left out.
    """
    rows = list(rows)
    with translation.override(reader.language):
        shown = Items(rows).show(rows, reader.language)
    links = reader.language, delivery.channel
    parts = [_part(row, item, *links) for row, item in zip(rows, shown, strict=True) if isinstance(item, Item)]
    return Message(
        id=f"{delivery.pk}.{delivery.created_at:%Y%m%d%H%M%S%f}",
        user=reader.user,
        channel=delivery.channel,
        device=delivery.device,
        address=address,
        language=reader.language,
        time_zone=reader.time_zone,
        parts=parts,
        is_digest=delivery.notice_id is None,
        attempt=delivery.attempts,
        because=_because(delivery, reader.language, rows),
    )


def _because(delivery: Delivery, language: str, rows: Sequence[Notification]) -> str:
    if delivery.notice_id is None or not rows:
        return ""
    topic = topic_of(rows[0].notice.kind, rows[0].notice.category)
    with translation.override(language):
        return because(delivery.channel, delivery.rule, topic)


def _part(row: Notification, item: Item, language: str, channel: str) -> Part:
    notice = row.notice
    return Part(
        notice=notice.pk,
        kind=item.kind,
        category=item.category,
        level=item.level,
        title=item.title,
        body=item.body,
        url=link_to(notice.pk, item.url, language, channel),
        actor=item.actor.name if item.actor else "",
        events=item.group.events if item.group else 1,
        created_at=item.created_at,
        about=f"{notice.about_model}:{notice.about_key}" if notice.about_model else "",
        data=item.data,
        item=row.pk or 0,
        group=row.group or "",
        expires_at=item.expires_at,
        target=absolute(item.url),
        facts=notice.facts,
        version=notice.version or 1,
    )
