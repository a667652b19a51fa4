"""Chat notifications: for a mention, or a message to a member who is offline."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import starmap
from typing import Any, NamedTuple
from unicodedata import normalize

from django.db import connections
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from ..bidi import isolate
from ..conf import conf
from ..inbox.actors import actor, normalize_username
from ..inbox.notify import announce_after_commit
from ..inbox.storing import store_copies
from ..inbox.stream import INBOX
from ..live.chunks import chunks
from ..live.commit import sequence_after_commit
from ..models import Membership, Message, Notice, Notification, Presence
from ..models.inbox import NotificationQuerySet
from ..validators import TITLE_LENGTH
from .members import handles, is_large
from .stream import ROOM

MESSAGE_KIND = "chat.message"  # of the notices
REWRITTEN_AT_ONCE = 100  # messages, each of which is a condition of one statement
MENTIONS = 20  # handles that one message may mention
ALERTED_WITHIN = timedelta(hours=1)  # of a message; it is done in its own transaction

_MENTION = re.compile(r"(?<![\w@.+-])@([\w.@+-]{1,150})")


def mentioned(body: str) -> set[str]:
    """Return the handles that a text mentions, with and without the punctuation that may end a sentence.

    Some keyboards write an accent as a character of its own, which belongs to no word until it is composed.
    """
    found = list(dict.fromkeys(_MENTION.findall(normalize("NFC", body))))[:MENTIONS]
    names = {name for text in found for name in (text, text.rstrip(".-+@")) if name}
    return names | set(map(normalize_username, names))


def alerts(room: int) -> NotificationQuerySet:
    """Return the unread notifications about messages in a room, of all recipients."""
    return Notification.objects.using(INBOX.alias).unread().visible().filter(dedupe_key__startswith=f"{_key(room)}.")


def alert_members(message: Message) -> None:
    """Notify, in the caller's transaction, mentioned and offline members, once each until they read it.

    Muted members are left in peace. In a large room only mentions notify. Rows are added and none is changed,
    so that a long transaction holds up nobody in the room.
    """
    names = mentioned(message.body)
    called = _untold(message, _others(message).filter(handles(names))) if names else []
    away = [] if is_large(message.room) else _untold(message, _away(message))
    _alert(message, called, _("%(author)s mentioned you"))
    _alert(message, [pk for pk in away if pk not in called], "%(author)s")


def rewrite_alerts(messages: Sequence[Message], **changes: Any) -> None:
    """Update, in the caller's transaction, the notices about messages: nobody keeps what was deleted.

    What becomes readable by an update is for members only: whoever has left keeps what they were told as a member.
    What is deleted is removed for everybody. It comes before the change of the messages, because Django locks notices
    before messages when it deletes a user.
    """
    for part in chunks(messages, REWRITTEN_AT_ONCE):
        found = list(_alerts_about(part))
        if not changes.get("recalled_at"):
            found = _of_members(found)
        if found:
            pks, recipients, notices, _keys = map(set, zip(*found, strict=True))
            Notice.objects.using(INBOX.alias).filter(pk__in=notices).update(**changes)
            Notification.objects.using(INBOX.alias).filter(pk__in=pks).touch()
            sequence_after_commit(INBOX, recipients)


class _Alert(NamedTuple):
    """One person's copy of a notice about a message."""

    pk: int
    recipient: Any
    notice: int
    dedupe_key: str

    @property
    def room(self) -> int:
        """The room of the message."""
        return int(self.dedupe_key.removeprefix(_key("")).partition(".")[0])


def _alerts_about(messages: Sequence[Message]) -> Iterator[_Alert]:
    """Read the copies about some messages; they are found by author and time, for which there is an index."""
    about = Q()
    for message in messages:
        about |= Q(
            notice__actor=message.author_id,
            notice__created_at__range=(message.created_at - ALERTED_WITHIN, message.created_at + ALERTED_WITHIN),
            dedupe_key__startswith=f"{_key(message.room_id)}.{message.pk}.",
        )
    copies = Notification.objects.using(INBOX.alias).filter(about, notice__kind=MESSAGE_KIND)
    return starmap(_Alert, copies.values_list("pk", "recipient_id", "notice_id", "dedupe_key"))


def _of_members(found: Sequence[_Alert]) -> list[_Alert]:
    """Return those copies that are a member's; the others get a notice of their own, as it is, where they share one."""
    rows = Membership.objects.using(ROOM.alias)
    rows = rows.filter(room__in={alert.room for alert in found}, user__in={alert.recipient for alert in found})
    members = set(rows.values_list("room_id", "user_id"))
    theirs = [alert for alert in found if (alert.room, alert.recipient) in members]
    shared = {alert.notice for alert in theirs}
    former: dict[int, list[int]] = {}
    for alert in found:
        if (alert.room, alert.recipient) not in members and alert.notice in shared:
            former.setdefault(alert.notice, []).append(alert.pk)
    for kept in Notice.objects.using(INBOX.alias).filter(pk__in=former):
        copies = Notification.objects.using(INBOX.alias).filter(pk__in=former[kept.pk])
        kept.pk = None
        kept.save(using=INBOX.alias, force_insert=True)
        copies.update(notice=kept)
    return theirs


def _others(message: Message) -> QuerySet[Membership, Any]:
    """Return the other members, by their users' keys, who are not muted."""
    rows = Membership.objects.using(ROOM.alias).filter(room=message.room_id, muted=False)
    return rows.exclude(user=message.author_id).order_by("user").values_list("user_id", flat=True)


def _away(message: Message) -> QuerySet[Membership, Any]:
    here = Presence.objects.using(ROOM.alias).filter(lease__until__gt=timezone.now())
    return _others(message).exclude(user__in=here.values("user_id"))


def _untold(message: Message, members: QuerySet[Membership, Any]) -> list[Any]:
    """Return those of some members who have no unread alert of this room."""
    told = alerts(message.room_id)
    if connections[INBOX.alias].vendor != "mysql":
        return list(members.filter(~Exists(told.filter(recipient=OuterRef("user")))))
    # Asked of each member, MariaDB would read all that they have. Of keys that it knows it reads a range; in no
    # collation does a letter come before the digits that follow.
    key = f"{_key(message.room_id)}."
    told = told.filter(dedupe_key__gte=key, dedupe_key__lt=f"{key}a")
    found = list(members)
    has = {pk for part in chunks(found) for pk in told.filter(recipient__in=part).values_list("recipient", flat=True)}
    return [pk for pk in found if pk not in has]


def _alert(message: Message, recipients: Sequence[Any], title: str) -> None:
    """Store one notice, and a copy for each of `recipients` who wants one."""
    if not recipients or message.author is None:
        return
    room = message.room
    title %= {"author": isolate(actor(message.author).name)}
    if room.name:
        # Cut in the name and not after it: what is opened is closed.
        space = TITLE_LENGTH - len(_("%(title)s in %(room)s") % {"title": title, "room": "\u2068\u2069"})
        title = _("%(title)s in %(room)s") % {"title": title, "room": isolate(room.name[: max(space, 0)])}
    notice = Notice.objects.using(INBOX.alias).create(
        title=" ".join(title.split())[:TITLE_LENGTH],  # names may be of several lines
        body=message.body,
        url=conf.chat_url(room.pk),
        kind=MESSAGE_KIND,
        category="chat",
        data={"room": room.pk} | ({"number": message.number} if message.number else {}),
        actor=message.author,
    )
    key = f"{_key(room.pk)}.{message.pk}.{notice.pk}"
    announce_after_commit(notice, store_copies(notice, recipients, {"dedupe_key": key}))


def _key(room: int | str) -> str:
    """Return how the dedupe keys of a room's alerts begin; the message's key follows, and the notice's."""
    return f"carillon.room-{room}"
