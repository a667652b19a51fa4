"""What must be so when all is well again: each reader against the database and against what writers say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from .journals import WriterProcess
from .readers import Reader, SocketReader
from .records import FeedRecord
from .writers import FEEDS

KEPT = ("all:1", "all:2", "private:1")  # feeds whose policies let nothing go
COUNTED = 100  # the highest count that is told
Kept = Mapping[str, list[tuple[int, int, str, str]]]  # of each feed position, key, the event's key and its name


class Judge:
    """Compares; every method reads the database anew."""

    def __init__(self, readers: Sequence[Reader], *, has_broker: bool) -> None:
        self.readers = readers
        self.has_broker = has_broker
        self.ended: dict[str, float] = {}  # when a reader lost the permission for the private feed
        self.left: dict[str, dict[int, int]] = {}  # number of the message by which a reader left a room
        self.is_pruned = False
        self.void: list[tuple[float, float]] = []  # from when to when a restored database has forgotten everything

    def lacking(self) -> list[str]:
        """Return what readers still lack: rules 1 to 5. It looks at positions alone, and is quick."""
        kept = self._kept()
        pending = [f"{feed} has pending events" for feed, rows in kept.items() if any(not row[0] for row in rows)]
        known = self._versions(kept)
        found = pending + list(self._pending())
        for reader in self.readers:
            lacks = [*self._feeds(reader, kept, known), *self._inbox(reader), *self._rooms(reader)]
            found += [f"{reader.name}: {lack}" for lack in lacks]
        return found

    def different(self) -> list[str]:
        """Return where readers hold something else than the database: the content of each item and message."""
        found: list[str] = []
        for reader in self.readers:
            different = [*self._items(reader), *self._messages(reader), *self._strange_events(reader)]
            found += [f"{reader.name}: {text}" for text in different]
        return found

    # Feeds

    def _kept(self) -> dict[str, list[tuple[int, int, str, str]]]:
        from notifications.feeds.names import stream_key
        from notifications.models import FeedEvent

        kept: dict[str, list[tuple[int, int, str, str]]] = {}
        for feed in FEEDS:
            rows = FeedEvent.objects.filter(feed=stream_key(feed)).order_by("modseq", "pk")
            found = list(rows.values_list("modseq", "pk", "key", "data"))
            kept[feed] = [(modseq or 0, pk, key, json.loads(data)["name"]) for modseq, pk, key, data in found]
        return kept

    def _versions(self, kept: Kept) -> dict[str, dict[str, int]]:
        """Return the version of each event of each feed, as far as anybody knows it."""
        known = {feed: {name: modseq for modseq, _pk, _key, name in rows} for feed, rows in kept.items()}
        for reader in self.readers:
            for feed, record in reader.feeds.items():
                if self.may_follow(reader, feed):  # who may not has not heard that a restored feed begins anew
                    known[feed] |= record.names
        return known

    def _feeds(self, reader: Reader, kept: Kept, known: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
        for feed, record in reader.feeds.items():
            if not self.may_follow(reader, feed):
                continue
            if feed.startswith("latest"):
                newest = {key: (modseq, pk, name) for modseq, pk, key, name in kept[feed]}
                for key, value in newest.items():
                    if record.values.get(key) != value:
                        yield f"{feed} {key} is {record.values.get(key)}, not {value}"
            elif not feed.startswith("live"):
                yield from self._log(record, kept[feed], known[feed])
            # Without a broker such events stay in the process in which they are published.
            elif self.has_broker and not any(name.startswith("ping") for _feed, name in reader.live):
                yield f"{feed}: no ping"

    def _log(
        self, record: FeedRecord, rows: Sequence[tuple[int, int, str, str]], known: Mapping[str, int]
    ) -> Iterator[str]:
        head = max((row[0] for row in rows), default=0)
        if head > record.at:
            yield f"{record.name} ends at {record.at}, not {head}"
        for start, to in record.spans:
            for name, version in known.items():
                if start < version <= to and name not in record.names:
                    yield f"{record.name} {name} at {version}, between {start} and {to}"

    def _strange_events(self, reader: Reader) -> Iterator[str]:
        """Return what is told in a feed that keeps all, and is not stored."""
        stored = {feed: {row[3] for row in rows} for feed, rows in self._kept().items() if feed in KEPT}
        for feed, record in reader.feeds.items():
            if feed in KEPT and self.may_follow(reader, feed):
                yield from (f"{feed}: told of {name}, which is not stored" for name in set(record.names) - stored[feed])

    def may_follow(self, reader: Reader, feed: str) -> bool:
        return feed != "private:1" or reader.name not in self.ended

    # The inbox

    def _pending(self) -> Iterator[str]:
        from notifications.models import Broadcast, Message, Notification

        names = [reader.name for reader in self.readers]  # what is a guest's may wait until they come
        waiting: dict[str, QuerySet[Any]] = {
            "Notification": Notification.objects.filter(recipient__username__in=names),
            "Broadcast": Broadcast.objects.exclude(state__in=("draft", "scheduled")),
            "Message": Message.objects.all(),
        }
        for name, rows in waiting.items():
            if number := rows.filter(modseq=None).count():
                yield f"{number} rows of {name} have no position"

    def _inbox(self, reader: Reader) -> Iterator[str]:
        from notifications.models import Notification

        record = reader.inbox
        rows = Notification.objects.filter(recipient__username=reader.name)
        for pk, modseq, title in rows.filter(modseq__gt=record.since).values_list("pk", "modseq", "notice__title"):
            if modseq and record.items.get(pk, {}).get("version") != modseq:
                told = record.items.get(pk, {}).get("version")
                yield f"notification {pk} ({title}) is at {modseq}, and known at {told}"
        unread = rows.unread().visible()
        counted = min(unread.count(), COUNTED), min(unread.unseen().count(), COUNTED)
        if (record.unread, record.unseen) != counted:
            yield f"counts {record.unread} unread, {record.unseen} unseen, and there are {counted}"
        for pk, until, modseq in rows.filter(snoozed_until__isnull=False).values_list("pk", "snoozed_until", "modseq"):
            yield f"notification {pk} at {modseq} sleeps still, though only until {until:%H:%M:%S.%f}"

    def _items(self, reader: Reader) -> Iterator[str]:
        from notifications.inbox.items import items_of
        from notifications.live.frames import encode
        from notifications.models import Notification

        record = reader.inbox
        rows = list(Notification.objects.filter(recipient__username=reader.name).with_content())
        shown = {row.pk: json.loads(encode(item)) for row, item in zip(rows, items_of(rows), strict=True)}
        for pk, item in record.items.items():
            if pk in shown and item != shown[pk]:
                fields = [name for name in {**item, **shown[pk]} if item.get(name) != shown[pk].get(name)]
                different = {name: (item.get(name), shown[pk].get(name)) for name in fields}
                yield f"notification {pk} ({shown[pk].get('title')}) differs: {different}"
            elif pk not in shown and not (self.is_pruned and (item.get("removed") or item.get("archived_at"))):
                yield f"notification {pk} ({item.get('title')}) is not stored"
        strangers = Notification.objects.filter(pk__in=record.known).exclude(recipient__username=reader.name)
        if not self.void:  # a restored database gives keys anew
            yield from (f"was told of notification {row.pk}, which is {row.recipient}'s" for row in strangers)

    # Rooms

    def _rooms(self, reader: Reader) -> Iterator[str]:
        from notifications.models import Message

        for pk, record in reader.rooms.items():
            left = self.left.get(reader.name, {}).get(pk)
            if left is not None:
                if record.last > left:
                    yield f"room {pk}: told of message {record.last} after it had left with {left}"
                continue
            found = Message.objects.filter(room=pk, modseq__gt=record.since)
            for number, modseq, body in found.values_list("number", "modseq", "body"):
                told = record.messages.get(number or 0, {}).get("version")
                if told != modseq:
                    yield f"room {pk}: message {number} ({body}) is at {modseq}, and known at {told}"

    def _messages(self, reader: Reader) -> Iterator[str]:
        from notifications.chat.stream import message_item
        from notifications.live.frames import encode
        from notifications.models import Message, Room

        for pk, record in reader.rooms.items():
            if pk in self.left.get(reader.name, {}):
                continue
            found = Message.objects.filter(room=pk).with_people()
            stored = {row.number: json.loads(encode(message_item(row))) for row in found}
            for number, message in record.messages.items():
                if number in stored and message != stored[number]:
                    yield f"room {pk}: message {number} differs: {message}, {stored[number]}"
                elif number not in stored and not self.is_pruned:
                    yield f"room {pk}: message {number} ({message['body']}) is not stored"
            last = Room.objects.get(pk=pk).last_number
            if not self.is_pruned and len(stored) != last:
                yield f"room {pk} has {len(stored)} messages up to number {last}"

    # What was committed

    def lost(self, writers: Iterable[WriterProcess]) -> Iterator[str]:
        """Return what writers have committed, and is not stored or was never told; and what readers said themselves."""
        from notifications.models import Notice

        stored = {feed: {row[3] for row in rows} for feed, rows in self._kept().items()}
        bodies = {body.partition(" ")[0] for body in Notice.objects.values_list("body", flat=True)}
        for at, what, details in self._committed(writers):
            if what == "publish":
                for feed, name in details[0]:
                    if feed in KEPT and name not in stored[feed]:
                        yield f"{feed} lost {name}"
                    for reader in [] if self.void else self.readers:
                        record = reader.feeds.get(feed)
                        if feed in KEPT and record and name not in record.names and self.may_follow(reader, feed):
                            yield f"{reader.name}: {feed} never told of {name}"
            elif what in ("notify", "broadcast") and details[0] not in bodies and not self.is_pruned:
                yield f"{what} lost {details[0]}, committed at {at}"
        for reader in self.readers:
            if isinstance(reader, SocketReader):
                yield from self._unsaid(reader)

    def _unsaid(self, reader: SocketReader) -> Iterator[str]:
        from notifications.models import Message

        for name, (at, room, number) in reader.said.items():
            if self.is_void(at) or self.is_pruned:
                continue
            found = list(Message.objects.filter(client_id=name).values_list("room_id", "number"))
            if found != [(room, number)]:
                yield f"{reader.name}: message {name} was acknowledged as {number} in room {room}, and is {found}"

    def _committed(self, writers: Iterable[WriterProcess]) -> Iterator[tuple[float, str, list[Any]]]:
        for writer in writers:
            for end, at, deeds in writer.transactions():
                if end == "done" and not self.is_void(at):
                    deduped = {deed.details[0] for deed in deeds if deed.what == "deduped"}
                    for deed in deeds:
                        if deed.what != "notify" or deed.details[0] not in deduped:
                            yield deed

    def is_void(self, at: float) -> bool:
        return any(start <= at <= end for start, end in self.void)
