"""Copies: the rows that a notice becomes in the inboxes of its recipients, as far as they want it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import router
from django.utils import timezone

from ..models import Notice, Notification
from ..preferences.channels import BELL_CHANNEL, HERE, TOAST_CHANNEL
from ..preferences.resolving import Decision, decisions
from ..preferences.topics import topic_of

ALONE = ("group", "actor_key", "folded_into")  # what a copy in the archive does not need: it joins no item


class Wanted(NamedTuple):
    """What the recipients of one notice want of it on this site, by their primary keys; None stands for all others."""

    notice: Notice
    decided: Mapping[Any, Mapping[str, Decision]]
    silent: bool

    def of(self, pk: Any) -> Mapping[str, Decision]:
        """Return what holds for a user, by channel."""
        return self.decided.get(pk) or self.decided[None]

    def sent(self, pk: Any) -> dict[str, Decision]:
        """Return the channels beyond the site by which a user gets it."""
        return {name: one for name, one in self.of(pk).items() if name not in HERE and one.value != "off"}

    def copy(self, pk: Any, shared: Mapping[str, Any]) -> Notification | None:
        """Return the copy for a user; None if the user has switched it off.

        Who has switched off the bell, and gets it by another channel, has a copy in the archive.
        """
        decided = self.of(pk)
        if decided[BELL_CHANNEL].value != "off":
            toast = decided[TOAST_CHANNEL].value != "off"
            return Notification(recipient_id=pk, notice=self.notice, toast=toast, **shared)
        if not self.silent and not self.sent(pk):
            return None
        fields = {name: value for name, value in shared.items() if name not in ALONE}
        away = {"toast": False, "muted": True, "archived_at": timezone.now()}
        return Notification(recipient_id=pk, notice=self.notice, **(fields | away))

    def copies(self, pks: Iterable[Any], shared: Mapping[str, Any]) -> list[Notification]:
        """Return the copies for users, without those who have switched it off."""
        made = (self.copy(pk, shared) for pk in pks)
        return [copy for copy in made if copy is not None]


def wanted(notices: Iterable[Notice], pks: Sequence[Any]) -> dict[Any, Wanted]:
    """Return what users want of notices, by the notice's primary key, with one query."""
    topics = {notice: topic_of(notice.kind, notice.category) for notice in notices}
    found = decisions(topics.values(), pks, router.db_for_write(Notification))
    return {
        notice.pk: Wanted(notice, found[topic], topic.rules is not None and topic.rules.when_off == "silent")
        for notice, topic in topics.items()
    }


class Release(NamedTuple):
    """What becomes of copies that are due: the keys of those that nobody wants, go to the archive, or have no toast."""

    unwanted: list[Any]
    silent: list[Any]
    quiet: list[Any]
    want: Mapping[Any, Wanted]  # by the notice's primary key


def release_of(rows: Iterable[Notification]) -> Release:
    """Say what becomes of copies that were to be sent later: what holds now decides, not what held when it was said."""
    rows = list(rows)
    notices = Notice.objects.using(router.db_for_write(Notice)).in_bulk({row.notice_id for row in rows})
    want = wanted(notices.values(), sorted({row.recipient_id for row in rows}))
    found = Release([], [], [], want)
    for row in rows:
        copy = want[row.notice_id].copy(row.recipient_id, {})
        if copy is None:
            found.unwanted.append(row.pk)
        elif copy.muted:
            found.silent.append(row.pk)
        elif not copy.toast:
            found.quiet.append(row.pk)
    return found
