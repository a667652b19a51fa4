"""Decisions at the moment of sending: what held when it was stored may hold no more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef

from ..inbox.copies import wanted
from ..kinds import Rules, registry
from ..kinds.waiting import AT_ONCE, After
from ..models import Broadcast, Delivery, Notice, Notification
from ..models.inbox import UNPLACED
from ..preferences.resolving import Decision, Rule, of_broadcast
from ..preferences.topics import topic_of
from .channels import made_channel
from .digests import DIGEST_GRACE
from .readers import Reader, reader
from .timetables import Timetable, schedules, timetable_of

State, Reason = Delivery.State, Delivery.Reason

BROADCAST: Rule = "broadcast"  # of a delivery that the sender of a broadcast has chosen
UNPLACED_PAUSE = timedelta(seconds=1)  # until it is looked again whether an event was placed
UNPLACED_LIMIT = timedelta(minutes=1)  # after which an event is sent as it is
SENDING_PAUSE = timedelta(seconds=30)  # until it is looked again whether another channel has sent something


class Verdict(NamedTuple):
    """Send it, or why not; or at `later` it is looked at again, or it joins a digest. `rule` is the preference's."""

    reason: str = ""
    later: datetime | None = None
    rule: str = ""
    window: datetime | None = None  # of the digest


SEND = Verdict()


def verdict_on(notice: Notice, now: datetime) -> Verdict | None:
    """Return why nobody is to be told of a notice any more; None if that is not so."""
    if notice.recalled_at is not None:
        return Verdict(Reason.WITHDRAWN)
    if notice.expires_at is not None and notice.expires_at <= now:
        return Verdict(Reason.EXPIRED)
    return None


class Facts:
    """What is known of some deliveries of notices at one moment, read with a constant number of queries."""

    def __init__(self, deliveries: Iterable[Delivery], alias: str, now: datetime) -> None:
        """Read what decides about deliveries of notices; digests have no notice and are left out."""
        self._now, self._alias = now, alias
        self._asked = asked = [one for one in deliveries if one.notice_id is not None and one.recipient_id is not None]
        recipients = sorted({one.recipient_id for one in asked if one.recipient_id is not None})
        rows = Notification.objects.using(alias).filter(
            recipient_id__in=recipients, notice_id__in={one.notice_id for one in asked}
        )
        self.rows = {(row.recipient_id, row.notice_id): row for row in rows.with_content()}
        self.rows |= _uncollected((one for one in asked if (one.recipient_id, one.notice_id) not in self.rows), alias)
        users = get_user_model()._base_manager.using(alias)
        self.users: dict[Any, Any] = users.in_bulk(recipients)
        self._schedules = schedules(recipients, alias) if recipients else {}
        notices = {row.notice_id: row.notice for row in self.rows.values()}
        self._want = wanted(notices.values(), recipients) if notices else {}

    def row(self, delivery: Delivery) -> Notification | None:
        """Return the recipient's copy of what a delivery tells of; of a broadcast also one that is not stored yet."""
        return self.rows.get((delivery.recipient_id or 0, delivery.notice_id or 0))

    def reader(self, delivery: Delivery) -> Reader:
        """Return how the recipient of a delivery reads."""
        pk = delivery.recipient_id
        return reader(self.users[pk], self._schedules.get(pk))

    def verdict(self, delivery: Delivery, *, in_digest: bool = False) -> Verdict:
        """Decide whether what a delivery tells of is still to be sent, by itself or `in_digest`."""
        row = self.row(delivery)
        user = self.users.get(delivery.recipient_id)
        if row is None or user is None or not getattr(user, "is_active", True):
            return Verdict(Reason.GONE)
        if (over := self._over(delivery, row)) is not None:
            return over
        rules = registry.get(row.notice.kind)
        wait = rules.wait(delivery.channel) if rules else AT_ONCE
        if _was_noticed(row, self._unless(delivery, rules, in_digest)):
            return Verdict(Reason.SEEN)
        decision = self._decision(row, delivery)
        if decision is not None and delivery.rule == BROADCAST:
            decision = of_broadcast(decision)
        if decision is None or decision.value == "off":
            return Verdict(Reason.PREFERENCE, rule=decision.rule if decision else "muted")
        if in_digest:
            return SEND
        return self._elsewhere(delivery, wait, decision) or self.quiet(delivery, urgent=bool(rules and rules.urgent))

    def _unless(self, delivery: Delivery, rules: Rules | None, in_digest: bool) -> str:
        """Return what makes it needless; for programs nothing does, unless the kind says so."""
        declared = rules.waits.get(delivery.channel) if rules else None
        if declared is None and not _for_people(delivery.channel):
            return "never"
        unless = (declared or AT_ONCE).unless
        return "read" if in_digest and unless == "seen" else unless

    def _over(self, delivery: Delivery, row: Notification) -> Verdict | None:
        """Return why nobody is to be told any more, or that an event waits for its place; None if neither holds."""
        if (over := verdict_on(row.notice, self._now)) is not None:
            return over
        if row.folded_into is not None and _for_people(delivery.channel):
            if row.folded_into > UNPLACED:
                return Verdict(Reason.SUPERSEDED)
            if self._now < delivery.created_at + UNPLACED_LIMIT:
                return Verdict(later=self._now + UNPLACED_PAUSE)
        return None

    def quiet(self, delivery: Delivery, *, urgent: bool = False) -> Verdict:
        """Decide whether it waits for the end of the recipient's quiet hours; if there is none, it is not sent."""
        if urgent or not _disturbs(delivery.channel):
            return SEND
        end = self._timetable(delivery).quiet_until(self._now)
        return SEND if end == self._now else Verdict(Reason.QUIET_HOURS, later=end)

    def _timetable(self, delivery: Delivery) -> Timetable:
        pk = delivery.recipient_id
        return timetable_of(self.users[pk], self._schedules.get(pk))

    def _elsewhere(self, delivery: Delivery, wait: After, decision: Decision) -> Verdict | None:
        """Return what becomes of it where a digest tells of it, or another channel; None if neither does."""
        if delivery.window is not None:
            digest = self._digests.get((delivery.recipient_id, delivery.channel, delivery.device, delivery.window))
            if digest is not None:  # it is late, or tried again
                return Verdict(later=max(digest, self._now) + DIGEST_GRACE)
        if decision.value == "digest":
            notice = self._want[delivery.notice_id or 0].notice
            topic = topic_of(notice.kind, notice.category)
            return Verdict(window=self._timetable(delivery).window(topic, self._now))
        if wait.unless_sent:
            states = self._states.get((delivery.recipient_id, delivery.notice_id, wait.unless_sent), set())
            if State.SENT in states:
                return Verdict(Reason.SUPERSEDED)
            if State.SENDING in states:
                return Verdict(later=self._now + SENDING_PAUSE)
        return None

    @cached_property
    def _digests(self) -> dict[tuple[Any, str, str, datetime | None], datetime]:
        """When those digests are due that have not ended, and that some of the deliveries wait for."""
        rows = Delivery.objects.using(self._alias).filter(
            recipient_id__in={one.recipient_id for one in self._asked},
            window__in={one.window for one in self._asked if one.window is not None},
            notice__isnull=True,
            due_at__isnull=False,
        )
        return {(row.recipient_id, row.channel, row.device, row.window): row.due_at or self._now for row in rows}

    @cached_property
    def _states(self) -> dict[tuple[Any, int | None, str], set[str]]:
        """How far other channels are with the same notices."""
        rows = Delivery.objects.using(self._alias).filter(
            recipient_id__in={one.recipient_id for one in self._asked},
            notice_id__in={one.notice_id for one in self._asked},
            state__in=(State.SENT, State.SENDING),
        )
        found: dict[tuple[Any, int | None, str], set[str]] = {}
        for row in rows:
            found.setdefault((row.recipient_id, row.notice_id, row.channel), set()).add(row.state)
        return found

    def _decision(self, row: Notification, delivery: Delivery) -> Decision | None:
        """Return what the recipient wants of it by this channel; None for who has muted what it is about."""
        want = self._want[row.notice_id]
        return None if delivery.recipient_id in want.muted else want.of(delivery.recipient_id).get(delivery.channel)


def _uncollected(deliveries: Iterable[Delivery], alias: str) -> dict[tuple[Any, int], Notification]:
    """Return the copies of broadcasts that their recipients will have when they next visit, with a query if any."""
    asked = [(one.recipient_id or 0, one.notice_id) for one in deliveries]
    if not asked:
        return {}
    notices = (
        Notice.objects.using(alias)
        .select_related("actor")
        .filter(
            Exists(Broadcast.objects.filter(notice=OuterRef("pk"))), pk__in={notice for _recipient, notice in asked}
        )
    )
    found = {notice.pk: notice for notice in notices}
    return {
        (recipient, notice): Notification(recipient_id=recipient, notice=found[notice])
        for recipient, notice in asked
        if notice in found
    }


def _disturbs(name: str) -> bool:
    sender = made_channel(name)
    return sender is not None and sender.disturbs


def _for_people(name: str) -> bool:
    sender = made_channel(name)
    return sender is None or sender.for_people


def _was_noticed(row: Notification, unless: str) -> bool:
    """Return whether the recipient has noticed it by themselves; what a preference archived was noticed by nobody."""
    if unless == "never":
        return False
    by_hand = row.archived_at is not None and not row.muted and row.folded_into is None
    if row.read_at is not None or by_hand:
        return True
    return unless == "seen" and row.seen_at is not None
