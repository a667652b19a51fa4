"""Decisions at the moment of sending: what held when it was stored may hold no more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef

from ..kinds import registry
from ..kinds.waiting import AT_ONCE, Unless
from ..models import Broadcast, Delivery, Notice, Notification
from ..models.inbox import UNPLACED
from ..preferences.resolving import Decision, Rule, decisions, of_broadcast
from ..preferences.topics import Topic, topic_of

Reason = Delivery.Reason

BROADCAST: Rule = "broadcast"  # of a delivery that the sender of a broadcast has chosen
UNPLACED_PAUSE = timedelta(seconds=1)  # until it is looked again whether an event was placed
UNPLACED_LIMIT = timedelta(minutes=1)  # after which an event is sent as it is


class Verdict(NamedTuple):
    """Send it, or why not; or at `later` it is looked at again. `rule` is the preference's."""

    reason: str = ""
    later: datetime | None = None
    rule: str = ""


SEND = Verdict()


class Facts:
    """What is known of some deliveries of notices at one moment, read with a constant number of queries."""

    def __init__(self, deliveries: Iterable[Delivery], alias: str, now: datetime) -> None:
        """Read what decides about deliveries of notices; digests have no notice and are left out."""
        self._now = now
        asked = [one for one in deliveries if one.notice_id is not None]
        recipients = sorted({one.recipient_id for one in asked})
        rows = Notification.objects.using(alias).filter(
            recipient_id__in=recipients, notice_id__in={one.notice_id for one in asked}
        )
        self.rows = {(row.recipient_id, row.notice_id): row for row in rows.with_content()}
        self.rows |= _uncollected((one for one in asked if (one.recipient_id, one.notice_id) not in self.rows), alias)
        items = {row.folded_into for row in self.rows.values() if (row.folded_into or 0) > UNPLACED}
        self._items = Notification.objects.using(alias).in_bulk(items) if items else {}
        users = get_user_model()._base_manager.using(alias)
        self.users: dict[Any, Any] = users.in_bulk(recipients)
        topics = {row.notice_id: topic_of(row.notice.kind, row.notice.category) for row in self.rows.values()}
        self._topics: Mapping[int, Topic] = topics
        self._decided: Mapping[Topic, Mapping[Any, Mapping[str, Decision]]] = (
            decisions(topics.values(), recipients, alias) if topics else {}
        )

    def row(self, delivery: Delivery) -> Notification | None:
        """Return the recipient's copy of what a delivery tells of; of a broadcast also one that is not stored yet."""
        return self.rows.get((delivery.recipient_id, delivery.notice_id or 0))

    def verdict(self, delivery: Delivery) -> Verdict:
        """Decide whether what a delivery tells of is still to be sent."""
        row = self.row(delivery)
        user = self.users.get(delivery.recipient_id)
        if row is None or user is None or not getattr(user, "is_active", True):
            return Verdict(Reason.GONE)
        if row.notice.recalled_at is not None:
            return Verdict(Reason.WITHDRAWN)
        if row.notice.expires_at is not None and row.notice.expires_at <= self._now:
            return Verdict(Reason.EXPIRED)
        if row.folded_into is not None:
            if row.folded_into > UNPLACED:
                return Verdict(Reason.SUPERSEDED)
            if self._now < delivery.created_at + UNPLACED_LIMIT:
                return Verdict(later=self._now + UNPLACED_PAUSE)
        if _was_noticed(row, self._unless(row, delivery.channel)):
            return Verdict(Reason.SEEN)
        decision = self._decision(row, delivery)
        if decision is not None and delivery.rule == BROADCAST:
            decision = of_broadcast(decision)
        if decision is None or decision.value == "off":
            return Verdict(Reason.PREFERENCE, rule=decision.rule if decision else "")
        return SEND

    def _unless(self, row: Notification, channel: str) -> Unless:
        rules = registry.get(row.notice.kind)
        return (rules.wait(channel) if rules else AT_ONCE).unless

    def _decision(self, row: Notification, delivery: Delivery) -> Decision | None:
        found = self._decided[self._topics[row.notice_id]]
        return (found.get(delivery.recipient_id) or found[None]).get(delivery.channel)


def _uncollected(deliveries: Iterable[Delivery], alias: str) -> dict[tuple[Any, int], Notification]:
    """Return the copies of broadcasts that their recipients will have when they next visit, with a query if any."""
    asked = [(one.recipient_id, one.notice_id) for one in deliveries]
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


def _was_noticed(row: Notification, unless: Unless) -> bool:
    """Return whether the recipient has noticed it by themselves; what a preference archived was noticed by nobody."""
    if unless == "never":
        return False
    by_hand = row.archived_at is not None and not row.muted and row.folded_into is None
    if row.read_at is not None or by_hand:
        return True
    return unless == "seen" and row.seen_at is not None
