"""`notify`: send a notification."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from datetime import datetime
from itertools import chain, islice
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db import router
from django.db.models import Model
from django.utils import timezone
from django.utils.functional import Promise

from ..annotations import LevelName, Recipients, User
from ..kinds import Kind
from ..kinds.declaring import rules_of
from ..kinds.rendering import about_fields, notice_fields
from ..live.chunks import STREAM_CHUNK, chunks
from ..live.commit import announce_stamped_after_commit, remind_after_commit, sequence_after_commit
from ..live.locks import lock_referred
from ..live.sequencer import advance_free, can_stamp_at_once, stamp_at_once
from ..live.statements import Parameter
from ..live.transactions import after_commit, atomic, retry
from ..models import Notice, Notification
from ..models.inbox import NotificationQuerySet
from ..models.ranks import current_rank
from ..signals import notification_stored
from ..twins import twin
from .actors import actor_of, other_actor
from .groups import group_of_kind, scheduled, told_by, waiting
from .recipients import RECIPIENT_CHUNK, recipient_chunks
from .storing import planned, recipients_of, store_alike, store_copies, store_notice, store_placed, tell_witnesses
from .stream import INBOX
from .validation import refuse_beside, user_or_none, validate


def notify(
    to: Recipients,
    what: str | Promise | Kind,
    *,
    body: str = "",
    url: str = "",
    level: LevelName = "info",
    kind: str = "",
    category: str = "",
    actor: User | Model | None = None,
    about: Model | None = None,
    group: str | None = None,
    data: dict[str, Any] | None = None,
    dedupe_key: str | None = None,
    expires_at: datetime | None = None,
    send_at: datetime | None = None,
) -> Notice:
    """Notify one or many users.

    The rows join the caller's transaction; open bells ring after it commits, and nothing happens if it is
    rolled back. A thousand recipients cost a constant number of queries. Who has switched it off, or muted what it is
    about, gets none.

    Args:
        to: A user, an iterable or queryset of users (a queryset is streamed in chunks), or a group.
        what: What happened: an instance of a declared kind (see `notifications.kinds`), or a title of one line and at
            most 200 characters. Text, never HTML. A lazy title is evaluated here, in the language that is active.
        body: More about it, at most 4,000 characters. Text, never HTML.
        url: The link: an http(s) URL, or a path on this site.
        level: ``"info"``, ``"success"``, ``"warning"`` or ``"error"``.
        kind: Your name for this type of event, for example ``"comment.created"``; at most 100 characters.
        category: Your name for a group of kinds, by which users may filter; at most 100 characters.
        actor: Who caused it: a user, or another saved instance, which is then named as ``str()`` says; or None.
        about: The saved instance that it is about. A kind may say that itself.
        group: What the event belongs to, for example ``"post:7"``; at most 200 characters. While a recipient has an
            unread notification of the same kind and group, the event joins it: the notification shows the latest
            event, rises to the top, and counts the events and their distinct actors.
        data: A JSON object for your own front end, at most 8 KiB and 30 levels deep. What Django's encoder knows, a
            time or a `Decimal` for example, is stored as text.
        dedupe_key: Makes the send idempotent: a recipient who already has a notification with this key gets
            no second one. At most 200 characters.
        expires_at: An aware time after which the notification is hidden.
        send_at: An aware time at which it is sent: until then nobody has it, and `withdraw` cancels it. Who gets it is
            decided now, but whether they have switched it off is asked then. What lies in the past is sent at once.

    Returns:
        The stored notice. If every recipient already had a notification with the `dedupe_key`, the notice of that
        earlier call.

    Raises:
        ValidationError: A field is beyond its limit; the field is named, and nothing is written.
        TypeError: `to` is not a user, `actor` or `about` no instance; or a kind says itself what is given beside it; or
            `group` is given for a kind that offers actions.
        ValueError: `to`, `actor` or `about` has not been saved yet.
    """
    given = {"body": body, "url": url, "level": level, "kind": kind, "category": category, "data": data}
    caused = _actor(actor)
    notice = Notice(**_content(what, given, about, caused), **caused, expires_at=expires_at)
    validate(notice, dedupe_key, group, send_at)
    if isinstance(what, Kind):
        group = group_of_kind(what) if group is None else _joining(what, group)
    now = timezone.now()
    shared = waiting(notice, group, now) if group is not None else {}
    if is_later := send_at is not None and send_at > now:
        notice.created_at = send_at
        shared |= scheduled(send_at, now)

    at_once = not is_later and group is None and can_stamp_at_once(INBOX.alias)

    def send() -> Notice:
        with atomic(INBOX.alias):
            fresh = copy(notice)  # saving changes it, and a second try must not begin with what the first left
            copies = _Copies(fresh, {"rank": current_rank(), "dedupe_key": dedupe_key, **shared}, is_later, at_once)
            return _send(copies, to) if dedupe_key is None else _send_once(copies, to, dedupe_key)

    return send() if isinstance(to, Iterator) else retry(send, INBOX.alias)  # an iterator can be read only once


anotify = twin(notify)


def announce_after_commit(notice: Notice, pks: Sequence[Any]) -> None:
    """Show users their copies of a notice, and tell applications of them, when the caller's transaction commits."""
    sequence_after_commit(INBOX, pks)
    _tell_applications_after_commit(notice, pks)


def _tell_applications_after_commit(notice: Notice, pks: Sequence[Any]) -> None:
    if notification_stored.has_listeners(Notice):
        after_commit(lambda: tell_applications(notice, pks), INBOX.alias)


def tell_applications(notice: Notice, pks: Iterable[Any]) -> None:
    """Send the signal `notification_stored`, for some users at a time."""
    for recipients in chunks(pks, RECIPIENT_CHUNK):
        notification_stored.send_robust(Notice, notice=notice, recipients=recipients)


def _content(what: object, given: dict[str, Any], about: Model | None, caused: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a notice: those of a kind, which may name who caused it, or those given for a title."""
    subject = {} if about is None else about_fields(about)
    if not isinstance(what, Kind):
        return given | subject | {"title": what, "data": {} if given["data"] is None else given["data"]}
    refuse_beside(what, given | ({"about": about} if rules_of(what).about else {}))
    return subject | notice_fields(told_by(what, actor_of(Notice(**caused))))


def _joining(made: Kind, group: str) -> str:
    """Return the group that an event of a kind was given, which its actions would not be about as a whole."""
    if made.rules.actions:
        raise TypeError(f"{type(made).__name__} offers actions, so its notifications cannot join: leave group out.")
    return group


def _actor(given: object) -> dict[str, Any]:
    """Return the fields of a notice that say who caused it."""
    if isinstance(given, Model) and not isinstance(given, get_user_model()):
        return {"other_actor": other_actor(given)}
    return {"actor": user_or_none(given, "actor")}


def _copies_of_one() -> NotificationQuerySet:
    return Notification.objects.filter(notice=Parameter("notice", Notice._meta.pk))


_STAMPS = INBOX.stamps_of(_copies_of_one)  # by recipient, for whom there is one copy of a notice


class _Copies(NamedTuple):
    """A notice, and what all its copies share."""

    notice: Notice
    shared: dict[str, Any]
    is_later: bool
    at_once: bool  # whether the transaction is our own, and they may have their positions in it

    def announce(self, pks: Sequence[Any]) -> None:
        """Show them after the commit, unless it is not yet time; it is the last thing before the commit."""
        if not pks:
            return
        if self.is_later:
            remind_after_commit(self.shared["snoozed_until"], INBOX.alias)
            return
        if self.at_once and len(pks) <= STREAM_CHUNK:
            announce_stamped_after_commit(INBOX, stamp_at_once(INBOX, pks, _STAMPS, notice=self.notice.pk), pks)
        else:
            sequence_after_commit(INBOX, pks)
        _tell_applications_after_commit(self.notice, pks)

    def store(self, pks: Sequence[Any]) -> list[Any]:
        """Store a copy for each user who wants one, and return them; one who has a copy already gets no second one.

        What is to be sent later is for all of them: what they want is asked when it is due.
        """
        if not self.is_later:
            return store_copies(self.notice, pks, self.shared)
        copy = Notification(notice=self.notice, **self.shared)
        store_alike(copy, pks, router.db_for_write(Notification))
        return list(pks)

    def send_at_once(self, pks: Sequence[Any]) -> None:
        """Store a copy for each user who wants one, with its position, and show it after the commit.

        While the inboxes are held nobody is waited for: those to whom the rows refer are locked before, and nobody else
        can have a copy of a new notice.
        """
        copies = planned(self.notice, pks, self.shared)
        reached = recipients_of(copies)
        tell_witnesses(self.notice, reached)
        if not reached:
            return
        alias = router.db_for_write(Notification)
        lock_referred({*reached, self.notice.actor_id} - {None}, alias)
        hints = advance_free(INBOX, reached)
        for alike in copies:
            store_placed(*alike, hints, alias)
        announce_stamped_after_commit(INBOX, hints, reached)
        _tell_applications_after_commit(self.notice, reached)


def _send(copies: _Copies, to: Recipients) -> Notice:
    store_notice(copies.notice)
    parts = recipient_chunks(to)
    begin = list(islice(parts, 2))
    if copies.at_once and len(begin) == 1:  # inboxes are held no longer than for one
        copies.send_at_once(begin[0])
        return copies.notice
    reached: list[Any] = []
    for pks in chain(begin, parts):
        reached += copies.store(pks)
    tell_witnesses(copies.notice, reached)
    copies.announce(reached)
    return copies.notice


def _send_once(copies: _Copies, to: Recipients, dedupe_key: str) -> Notice:
    """Store copies for recipients without one for this key; two concurrent sends store only one each."""
    notice = copies.notice
    sent = Notification.objects.using(INBOX.alias).filter(dedupe_key=dedupe_key)
    earlier: set[int] = set()
    reached: list[Any] = []
    for pks in recipient_chunks(to):
        had = _notices(sent, pks)
        new = [pk for pk in pks if pk not in had]
        if new:
            if notice._state.adding:
                store_notice(notice)
            copies.store(new)
            had |= _notices(sent, new)  # another send may have come first for some of them
        reached += [pk for pk, notice_id in had.items() if notice_id == notice.pk]
        earlier.update(had.values())
    if reached:
        tell_witnesses(notice, reached)
    copies.announce(reached)
    if earlier and not reached:
        first = Notice.objects.using(INBOX.alias).get(pk=min(earlier))
        if not notice._state.adding:
            notice.delete()
        return first
    if notice._state.adding:
        store_notice(notice)
    return notice


def _notices(sent: NotificationQuerySet, pks: list[Any]) -> dict[Any, int]:
    return dict(sent.filter(recipient_id__in=pks).values_list("recipient_id", "notice_id"))
