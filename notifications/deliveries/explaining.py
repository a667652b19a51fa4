"""Explanations: by which channels a user got a notification, by which not, and what decided that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import router

from ..annotations import User
from ..audiences import has_field, people
from ..inbox.copies import wanted
from ..inbox.recipients import recipient_key
from ..kinds import After, registry
from ..kinds.waiting import AT_ONCE
from ..models import Broadcast, Delivery, Notice, Notification
from ..models.inbox import SCHEDULED
from ..preferences.channels import BELL_CHANNEL, HERE, TOAST_CHANNEL, Value, channels, sent
from ..preferences.resolving import Decision, Rule, of_broadcast
from ..preferences.topics import topic_of
from ..twins import twin
from . import explaining_words as words
from .channels import made_channel

State, Reason = Delivery.State, Delivery.Reason

Outcome = Literal["waiting", "sending", "sent", "failed", "skipped"]
"""What became of it by one channel. In the bell and as a toast, ``"sent"`` is that it is there."""


@dataclass(frozen=True, slots=True)
class Attempted:
    """What is stored of one delivery; `device` is empty for a channel without devices.

    `due_at` is when it is sent, or tried again, if it waits, and `digest_at` when the digest is that tells of it.
    """

    pk: int
    device: str
    state: Outcome
    reason: str
    address: str
    attempts: int
    error: str
    created_at: datetime
    due_at: datetime | None
    digest_at: datetime | None
    ended_at: datetime | None
    clicked_at: datetime | None


@dataclass(frozen=True, slots=True)
class ChannelExplanation:
    """One channel that was considered: what was wanted of it, the rule that decided, and what became of it.

    `stored` says whether it is told from what was stored; else it is what holds now. `rule` is empty where what was
    stored differs from what holds now, so that nobody knows any more. `reason` is why it was skipped, or waits: one of
    the closed list, or empty. `wait` is how long the channel waits whether the recipient sees it by themselves.
    """

    name: str
    label: str
    value: Value
    rule: Rule | Literal[""]
    topic: str
    category: str
    wait: After
    stored: bool
    outcome: Outcome
    reason: str = ""
    until: datetime | None = None
    deliveries: Sequence[Attempted] = ()

    @property
    def text(self) -> str:
        """Return it in words for the user, in the active language."""
        return words.for_user(self)

    @property
    def staff_text(self) -> str:
        """Return it in words for staff, in the active language."""
        return words.for_staff(self)


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a user got a notification, or why not. `is_recipient` says whether it was sent to the user at all."""

    notice: int
    is_recipient: bool
    channels: Sequence[ChannelExplanation]

    @property
    def text(self) -> str:
        """Return it in words for the user, in the active language, with a line for each channel."""
        return "\n".join(one.text for one in self.channels) or words.no_recipient()


def explain(user: User, notice: Notice | int) -> Explanation:
    """Explain how a user got a notification: by each channel that was considered, with the rule that decided.

    What is stored is told as it was; where nothing is stored, what holds now decides: a channel was switched off, there
    is no device, or the row has reached its age. A constant number of queries.

    Args:
        user: The recipient.
        notice: What `notify` or a broadcast made, or its primary key.

    Returns:
        The explanation: bell, toast, then the channels that are sent. One who is no recipient has none.

    Raises:
        Notice.DoesNotExist: There is no such notice.
    """
    alias = router.db_for_write(Notification)
    found = notice if isinstance(notice, Notice) else Notice.objects.using(alias).get(pk=notice)
    case = _Case(recipient_key(user), found, alias)
    return Explanation(found.pk, case.is_recipient, tuple(case.explained()) if case.is_recipient else ())


aexplain = twin(explain)


class _Case:
    """One user and one notice, and what is stored of them."""

    def __init__(self, pk: Any, notice: Notice, alias: str) -> None:
        self._pk = pk
        self._notice = notice
        self._alias = alias
        self._topic = topic_of(notice.kind, notice.category)
        self._copy = Notification.objects.using(alias).filter(recipient_id=pk, notice=notice).first()
        rows = Delivery.objects.using(alias).filter(recipient_id=pk, notice=notice).order_by("channel", "device")
        self._rows: dict[str, list[Delivery]] = {}
        for row in rows:
            self._rows.setdefault(row.channel, []).append(row)
        self._broadcast = Broadcast.objects.using(alias).filter(notice=notice).first()
        self.is_recipient = bool(self._copy or self._rows) or self._is_meant()
        want = wanted([notice], [pk])[notice.pk]
        self._decided: Mapping[str, Decision] = want.of(pk)
        self._is_muted = pk in want.muted

    def explained(self) -> Iterator[ChannelExplanation]:
        for name in HERE:
            yield self._here(name)
        for name in dict.fromkeys([*sent(), *self._rows]):
            yield self._stored(name) if name in self._rows else self._considered(name)

    def _is_meant(self) -> bool:
        """Return whether the user belongs to the audience of a broadcast, and was a user when it was published."""
        broadcast = self._broadcast
        if broadcast is None:
            return False
        users = people(router.db_for_write(get_user_model())).filter(pk=self._pk)
        if has_field("date_joined") and broadcast.published_at:
            users = users.filter(date_joined__lte=broadcast.published_at)
        try:
            audience = broadcast.audience_of()
        except ValidationError:
            return False
        return not audience.unknown() and audience.select(users).exists()

    def _decision(self, name: str) -> Decision:
        """Return what holds now."""
        if self._is_muted:
            return Decision("off", "muted")
        known = channels()
        decision = self._decided.get(name) or Decision(known[name].default if name in known else "off", "channel")
        if self._broadcast is None or name in HERE:
            return decision
        return of_broadcast(decision) if name in self._broadcast.channels else Decision("off", "broadcast")

    def _made(self, name: str, decision: Decision, stored: bool, outcome: Outcome, **more: Any) -> ChannelExplanation:
        known = channels()
        value, rule = decision
        return ChannelExplanation(
            name=name,
            label=str(known[name].label) if name in known else name,
            value=value,
            topic=self._topic.label,
            category=words.category_label(self._topic.category),
            wait=self._wait(name),
            stored=stored,
            outcome=outcome,
            **{"rule": rule, **more},
        )

    def _wait(self, name: str) -> After:
        rules = registry.get(self._notice.kind)
        return rules.wait(name) if rules and name not in HERE else AT_ONCE

    def _here(self, name: str) -> ChannelExplanation:
        """Explain the bell or the toast, of which the copy tells."""
        copy, now = self._copy, self._decision(name)
        if copy is None:
            outcome: Outcome = "skipped" if now.value == "off" else "waiting"
            return self._made(name, now, False, outcome, reason=Reason.PREFERENCE if outcome == "skipped" else "")
        if copy.folded_into == SCHEDULED:
            return self._made(name, now, False, "waiting", until=copy.snoozed_until)
        muted = copy.muted or (self._is_muted and copy.archived_at is not None and not copy.toast)
        there = not muted if name == BELL_CHANNEL else copy.toast
        then: Value = "on" if there else "off"
        same = then == now.value
        outcome, reason = ("sent", "") if there else ("skipped", str(Reason.PREFERENCE))
        if name == TOAST_CHANNEL and not there and copy.muted:
            bell = self._decision(BELL_CHANNEL)
            return self._made(name, Decision("off", bell.rule), True, "skipped", reason=reason)
        return self._made(
            name, Decision(then, now.rule), True, outcome, reason=reason, **({} if same else {"rule": ""})
        )

    def _stored(self, name: str) -> ChannelExplanation:
        rows = self._rows[name]
        first = min(rows, key=lambda row: _PRECEDENCE.index(State(row.state)))
        digest = any(row.window for row in rows)
        off = first.reason == Reason.PREFERENCE
        value: Value = "off" if off else "digest" if digest else "on"
        rule: Any = first.rule
        return self._made(
            name,
            Decision(value, rule),
            True,
            first.state,  # type: ignore[arg-type]  # one of the choices
            reason=first.reason,
            until=first.window if first.window and first.state == State.WAITING else first.due_at,
            deliveries=tuple(_attempted(row) for row in rows),
        )

    def _considered(self, name: str) -> ChannelExplanation:
        """Explain a channel of which nothing is stored: by what holds now."""
        decision = self._decision(name)
        if decision.value == "off":
            return self._made(name, decision, False, "skipped", reason=str(Reason.PREFERENCE))
        copy, broadcast = self._copy, self._broadcast
        if copy is not None and copy.folded_into == SCHEDULED:
            return self._made(name, decision, False, "waiting", until=copy.snoozed_until)
        if broadcast is not None and broadcast.walk_at is not None and name in broadcast.walked:
            return self._made(name, decision, False, "waiting")
        sender = made_channel(name)
        if sender is None:
            return self._made(name, decision, False, "skipped")
        if sender.has_devices and not sender.devices_for(self._notice, [self._pk], self._alias).get(self._pk):
            return self._made(name, decision, False, "skipped", reason=str(sender.no_address))
        return self._made(name, decision, False, "skipped")


# Of a user's devices, the best outcome is the channel's.
_PRECEDENCE = [State.SENT, State.SENDING, State.WAITING, State.FAILED, State.SKIPPED]


def _attempted(row: Delivery) -> Attempted:
    return Attempted(
        pk=row.pk,
        device=row.device,
        state=row.state,  # type: ignore[arg-type]  # one of the choices
        reason=row.reason,
        address=row.address,
        attempts=row.attempts,
        error=row.error,
        created_at=row.created_at,
        due_at=row.due_at,
        digest_at=row.window,
        ended_at=row.ended_at,
        clicked_at=row.clicked_at,
    )
