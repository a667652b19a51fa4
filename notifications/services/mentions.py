"""Where chat meets the inbox: a mention, or a message to somebody who is away, becomes a notification."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from ..conf import conf
from ..inbox import INBOX, actor
from ..members import is_large, usernames
from ..models import Membership, Message, Notice, Notification, Presence
from ..rooms import ROOM
from ..validators import TITLE_LENGTH
from .commit import sequence_after_commit

MENTIONS = 20  # user names that one message may mention

_MENTION = re.compile(r"(?<![\w@.+-])@([\w.@+-]{1,150})")


def mentioned(body: str) -> set[str]:
    """Return the user names that a text mentions, with and without the punctuation that may end a sentence."""
    found = list(dict.fromkeys(_MENTION.findall(body)))[:MENTIONS]
    return {name for text in found for name in (text, text.rstrip(".-+@")) if name}


def alert_members(message: Message) -> None:
    """Notify, in the caller's transaction, who was mentioned and who is away; each once until they read it.

    Muted members are left in peace. In a large room only mentions notify.
    """
    names = mentioned(message.body)
    called = list(_candidates(message).filter(usernames(names))) if names else []
    away = [] if is_large(message.room_id, ROOM.alias) else list(_away(message))
    known = {place.pk for place in called}
    _alert(message, called, _("%(author)s mentioned you"))
    _alert(message, [place for place in away if place.pk not in known], "%(author)s")


def _candidates(message: Message) -> Any:
    """Return the other members who are not muted and have no unread alert of this room."""
    read = Q(alert=None) | Q(alert__read_at__isnull=False) | Q(alert__archived_at__isnull=False)
    rows = Membership.objects.using(ROOM.alias).filter(read, room=message.room, muted=False)
    return rows.exclude(user=message.author_id)


def _away(message: Message) -> Any:
    here = Presence.objects.using(ROOM.alias).filter(lease__until__gt=timezone.now())
    return _candidates(message).exclude(user__in=here.values("user_id"))


def _alert(message: Message, places: Iterable[Membership], title: str) -> None:
    """Store one notice, and a copy for each of `places`."""
    places = list(places)
    if not places or message.author is None:
        return
    room = message.room
    title %= {"author": actor(message.author).name}
    if room.name:
        title = _("%(title)s in %(room)s") % {"title": title, "room": room.name}
    notice = Notice.objects.using(INBOX.alias).create(
        title=title[:TITLE_LENGTH],
        body=message.body,
        url=conf.CHAT_URL.replace("{room}", str(room.pk)),
        kind="chat.message",
        category="chat",
        data={"room": room.pk} | ({"number": message.number} if message.number else {}),
        actor=message.author,
    )
    copies = [Notification(recipient_id=place.user_id, notice=notice) for place in places]
    Notification.objects.using(INBOX.alias).bulk_create(copies)
    alerts = dict(Notification.objects.using(INBOX.alias).filter(notice=notice).values_list("recipient_id", "pk"))
    for place in places:
        place.alert_id = alerts[place.user_id]
    Membership.objects.using(ROOM.alias).bulk_update(places, ["alert"])
    sequence_after_commit(INBOX, alerts)
