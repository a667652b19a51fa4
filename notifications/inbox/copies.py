"""Copies: the rows that a notice becomes in the inboxes of its recipients, as far as they want it."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import router
from django.db.models import Q
from django.utils import timezone

from ..models import Notice, Notification, Watch
from ..models.watch import is_muted
from ..preferences.channels import BELL_CHANNEL, HERE, TOAST_CHANNEL
from ..preferences.resolving import Decision, decisions
from ..preferences.topics import Topic, topic_of

ALONE = ("group", "actor_key", "folded_into")  # what a copy in the archive does not need: it joins no item


class Wanted(NamedTuple):
    """What the recipients of one notice want of it on this site, by their primary keys; None stands for all others."""

    notice: Notice
    decided: Mapping[Any, Mapping[str, Decision]]
    silent: bool
    muted: Collection[Any]  # those who have muted what it is about

    def of(self, pk: Any) -> Mapping[str, Decision]:
        """Return what holds for a user, by channel."""
        return self.decided.get(pk) or self.decided[None]

    def sent(self, pk: Any) -> dict[str, Decision]:
        """Return the channels beyond the site by which a user gets it: none who has muted what it is about."""
        if pk in self.muted:
            return {}
        return {name: one for name, one in self.of(pk).items() if name not in HERE and one.value != "off"}

    def copy(self, pk: Any, shared: Mapping[str, Any]) -> Notification | None:
        """Return the copy for a user; None if the user has switched it off, or muted what it is about.

        Who has switched off the bell, and gets it by another channel, has a copy in the archive.
        """
        decided = self.of(pk)
        off = decided[BELL_CHANNEL].value == "off"
        if not off and pk not in self.muted:
            toast = decided[TOAST_CHANNEL].value != "off"
            return Notification(recipient_id=pk, notice=self.notice, toast=toast, **shared)
        if not self.silent and not self.sent(pk):
            return None
        fields = {name: value for name, value in shared.items() if name not in ALONE}
        # Switching the kind on brings back what was off; what was muted stays, for the object may be muted still.
        away = {"toast": False, "muted": off, "archived_at": timezone.now()}
        return Notification(recipient_id=pk, notice=self.notice, **(fields | away))

    def copies(self, pks: Sequence[Any], shared: Mapping[str, Any]) -> list[tuple[Notification, list[Any]]]:
        """Return the copies for users, without those who have switched it off.

        Each kind of copy is made once, for all users who get the same.
        """
        groups: dict[Hashable, tuple[Notification | None, list[Any]]] = {}
        for pk in pks:
            decided = self.decided.get(pk)
            muted = pk in self.muted
            same = muted, None if decided is None else tuple(decided.items())
            if same not in groups:
                groups[same] = self.copy(pk, shared), []
            groups[same][1].append(pk)
        return [(copy, who) for copy, who in groups.values() if copy is not None]


def wanted(notices: Iterable[Notice], pks: Sequence[Any]) -> dict[Any, Wanted]:
    """Return what users want of notices, by the notice's primary key: one query, and one for what they are about."""
    topics = {notice: topic_of(notice.kind, notice.category) for notice in notices}
    using = router.db_for_write(Notification)
    found = decisions(topics.values(), pks, using)
    muted = _muted((notice for notice, topic in topics.items() if _heeds_mutes(notice, topic)), pks, using)
    return {
        notice.pk: Wanted(
            notice,
            found[topic],
            topic.rules is not None and topic.rules.when_off == "silent",
            muted.get((notice.about_model, notice.about_key), ()) if _heeds_mutes(notice, topic) else (),
        )
        for notice, topic in topics.items()
    }


def _heeds_mutes(notice: Notice, topic: Topic) -> bool:
    """Return whether muting what a notice is about keeps it back: neither what is required, nor a mention."""
    return bool(notice.about_model) and topic.open and not (topic.rules and topic.rules.mention)


def _muted(notices: Iterable[Notice], pks: Sequence[Any], using: str) -> dict[tuple[str, str], set[Any]]:
    """Return which users have muted what some notices are about, by that; no query if they are about nothing."""
    about = Q()
    for model, key in {(notice.about_model, notice.about_key) for notice in notices}:
        about |= Q(about_model=model, about_key=key)
    found: dict[tuple[str, str], set[Any]] = {}
    if about and pks:
        rows = Watch.objects.using(using).filter(is_muted(), about, user_id__in=pks)
        for pk, *subject in rows.values_list("user_id", "about_model", "about_key"):
            found.setdefault((subject[0], subject[1]), set()).add(pk)
    return found


class Release(NamedTuple):
    """What becomes of copies that are due: the keys of those that nobody wants, go to the archive, or have no toast.

    Those that go to the archive are those that were switched off, and those that are about something muted.
    """

    unwanted: list[Any]
    silent: list[Any]
    muted: list[Any]
    quiet: list[Any]
    want: Mapping[Any, Wanted]  # by the notice's primary key


def release_of(rows: Iterable[Notification]) -> Release:
    """Say what becomes of copies that were to be sent later: what holds now decides, not what held when it was said."""
    rows = list(rows)
    notices = Notice.objects.using(router.db_for_write(Notice)).in_bulk({row.notice_id for row in rows})
    want = wanted(notices.values(), sorted({row.recipient_id for row in rows}))
    found = Release([], [], [], [], want)
    for row in rows:
        copy = want[row.notice_id].copy(row.recipient_id, {})
        if copy is None:
            found.unwanted.append(row.pk)
        elif copy.archived_at:
            (found.silent if copy.muted else found.muted).append(row.pk)
        elif not copy.toast:
            found.quiet.append(row.pk)
    return found
