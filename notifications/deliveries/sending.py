"""Sending: claim what is due, decide again, hand it to its channel outside of any transaction, and note the outcome.

A claim is a lease. Whoever holds it sends; if it runs out, for its worker was killed, another worker takes over, and
what the first one may have sent goes out under the same id again. The outcome is noted only by who holds the claim.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from django.db import router
from django.db.models import Min, QuerySet
from django.utils import timezone

from ..exceptions import TryLater, Undeliverable
from ..live.locks import lock_free
from ..live.transactions import atomic, retried
from ..models import Delivery, Notification
from ..models.delivery import ADDRESS_LENGTH, ERROR_LENGTH
from .channels import channel
from .deciding import Facts, Verdict
from .messages import message_of
from .readers import Reader, reader_of

logger = logging.getLogger("notifications")

State, Reason = Delivery.State, Delivery.Reason

ATTEMPTS: Final = 8  # tries, in about half an hour
FIRST_PAUSE: Final = timedelta(seconds=14)  # before the second try; twice as long before each further one
JITTER: Final = 0.2  # of a pause, at most, more or less
LONGEST_PAUSE: Final = timedelta(days=1)  # that the other side may ask for
SEND_LEASE: Final = timedelta(minutes=2)
CLAIM: Final = 10  # deliveries that a worker holds at once
DIGEST_LIMIT: Final = 100  # notifications that a digest tells of; of more it is the newest ones
DIGEST_SEARCH: Final = 1_000  # that wait for a digest and are looked at


def send_some(name: str) -> int:
    """Send what is due by a channel, at most `CLAIM` deliveries, one after the other; return how many were due.

    Several threads and processes may do so at once. It must run outside of transactions.
    """
    alias = router.db_for_write(Delivery)
    now = timezone.now()
    claimed = _claim(name, alias, now)
    facts = Facts(claimed, alias, now)
    for delivery in claimed:
        work = _send_digest if delivery.notice_id is None else _send_notice
        work(_Claim(alias, delivery), facts)
    return len(claimed)


def next_due(names: Iterable[str]) -> datetime | None:
    """Return when the next delivery by some channels falls due; None if none waits."""
    rows = Delivery.objects.using(router.db_for_write(Delivery)).filter(channel__in=names, due_at__isnull=False)
    due: datetime | None = rows.aggregate(first=Min("due_at"))["first"]
    return due


@retried(lambda name, alias, now: alias)
def _claim(name: str, alias: str, now: datetime) -> list[Delivery]:
    """Claim what is due, but for what another worker is claiming."""
    due = Delivery.objects.using(alias).filter(channel=name, due_at__lte=now)
    pks = list(due.order_by("due_at").values_list("pk", flat=True)[:CLAIM])
    if not pks:
        return []
    mark = uuid4().hex
    with atomic(alias, durable=True):
        pks = lock_free(due, pks, alias)
        due.filter(pk__in=pks).update(state=State.SENDING, claim=mark, due_at=now + SEND_LEASE, reason="")
    return list(Delivery.objects.using(alias).filter(pk__in=pks, claim=mark).order_by("pk"))


class _Claim:
    """A worker's claim on one delivery. What it notes counts only while nobody else has taken over."""

    def __init__(self, alias: str, delivery: Delivery) -> None:
        self.alias = alias
        self.delivery = delivery
        self._rows = Delivery.objects.using(alias).filter(pk=delivery.pk, claim=delivery.claim, state=State.SENDING)

    def begin(self) -> bool:
        """Begin a try, and the lease anew, for others were sent before; return whether it may be made."""
        delivery = self.delivery
        if delivery.attempts >= ATTEMPTS:
            self.end(State.FAILED, error="Its worker was killed at each try.")
            return False
        delivery.attempts += 1
        return bool(self._rows.update(due_at=timezone.now() + SEND_LEASE, attempts=delivery.attempts))

    def end(self, state: str, **fields: Any) -> bool:
        """Note what became of it."""
        return bool(_end(self._rows, state, **fields))

    def postpone(self, until: datetime, **fields: Any) -> None:
        """Look at it again later."""
        self._rows.update(state=State.WAITING, claim="", due_at=until, **fields)

    def apply(self, verdict: Verdict) -> bool:
        """Do what was decided; return whether it is to be sent."""
        if verdict.later is not None:
            self.postpone(verdict.later, reason=verdict.reason)
        elif verdict.reason:
            self.end(State.SKIPPED, reason=verdict.reason, **({"rule": verdict.rule} if verdict.rule else {}))
        else:
            return True
        return False

    def failed(self, error: Exception) -> None:
        """Try again later, unless that was the last try."""
        delivery = self.delivery
        told = f"{type(error).__name__}: {error}"[:ERROR_LENGTH]
        if isinstance(error, Undeliverable):
            known = error.reason in Reason.values
            self.end(State.SKIPPED if known else State.FAILED, reason=error.reason if known else "", error=told)
        elif delivery.attempts >= ATTEMPTS:
            self.end(State.FAILED, error=told)
        else:
            if not isinstance(error, TryLater):
                logger.warning("A delivery by %s failed; it is tried again.", delivery.channel, exc_info=error)
            asked = error.after if isinstance(error, TryLater) and error.after is not None else timedelta(0)
            pause = max(_pause(delivery.attempts), min(asked, LONGEST_PAUSE))
            self.postpone(timezone.now() + pause, error=told)


def _pause(attempts: int) -> timedelta:
    """Return how long to wait after a number of tries: exponential, with jitter."""
    return FIRST_PAUSE * 2.0 ** (attempts - 1) * random.uniform(1 - JITTER, 1 + JITTER)


def _send_notice(claim: _Claim, facts: Facts) -> None:
    delivery = claim.delivery
    row = facts.row(delivery)
    if claim.apply(facts.verdict(delivery)) and row is not None:
        _hand_over(claim, reader_of(facts.users[delivery.recipient_id]), [row])


def _send_digest(claim: _Claim, _facts: Facts) -> None:
    """Send what waits for a digest and is still to be told; what is not says why."""
    delivery = claim.delivery
    rows = Delivery.objects.using(claim.alias).filter(
        recipient=delivery.recipient_id,
        channel=delivery.channel,
        device=delivery.device,
        window=delivery.window,
        notice__isnull=False,
        state=State.WAITING,
    )
    waiting = list(rows.order_by("-pk")[:DIGEST_SEARCH])
    facts = Facts(waiting, claim.alias, timezone.now())
    verdicts = {one.pk: facts.verdict(one) for one in waiting}
    for verdict in {verdict for verdict in verdicts.values() if verdict.reason}:
        pks = [pk for pk, found in verdicts.items() if found == verdict]
        _end(rows.filter(pk__in=pks), State.SKIPPED, reason=verdict.reason)
    told = [one for one in waiting if not verdicts[one.pk].reason]
    if not told:
        claim.end(State.SKIPPED, reason=Reason.SEEN)
        return
    shown = [row for one in told[:DIGEST_LIMIT] if (row := facts.row(one)) is not None]
    if _hand_over(claim, reader_of(facts.users[delivery.recipient_id]), shown):
        _end(rows.filter(pk__lte=waiting[0].pk), State.SENT)


def _end(rows: QuerySet[Delivery], state: str, **fields: Any) -> int:
    return rows.update(state=state, claim="", due_at=None, ended_at=timezone.now(), **{"error": "", **fields})


def _hand_over(claim: _Claim, reader: Reader, rows: Sequence[Notification]) -> bool:
    """Send something to its recipient; return whether it went out."""
    delivery = claim.delivery
    try:
        sender = channel(delivery.channel)
        address = delivery.device if sender.has_devices else sender.address(reader.user)
        if not address:
            claim.end(State.SKIPPED, reason=sender.no_address)
            return False
        if not claim.begin():
            return False
        sender.send(message_of(delivery, sender.reader(reader, address), address, rows))
    except Exception as error:  # noqa: BLE001  # whatever a channel raises
        claim.failed(error)
        return False
    return claim.end(State.SENT, address=address[:ADDRESS_LENGTH])
