"""Sending: claim what is due, decide again, hand it to its channel outside of any transaction, and note the outcome.

A claim is a lease. Whoever holds it sends; if it runs out, for its worker was killed, another worker takes over, and
what the first one may have sent goes out under the same id again. The outcome is noted only by who holds the claim.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import Any, Final
from uuid import uuid4

from django.db import InterfaceError, OperationalError, connections, router
from django.db.models import Q, QuerySet
from django.utils import timezone

from .. import tenants
from ..exceptions import TryLater, Undeliverable
from ..live.locks import lock_free
from ..live.transactions import atomic, retried
from ..models import Delivery, Notification
from ..models.delivery import ADDRESS_LENGTH, ERROR_LENGTH
from ..preferences.topics import topic_of
from ..validators import storable
from .channels import channel
from .deciding import Facts, Verdict
from .digests import ASKED, DIGEST_GRACE, digest_row, store_digests
from .ending import end
from .messages import message_of
from .noting import noted
from .readers import Reader, reader
from .shared import shared_row, shared_verdict

logger = logging.getLogger("notifications")

State, Reason = Delivery.State, Delivery.Reason

ATTEMPTS: Final = 8  # tries, in about half an hour
FIRST_PAUSE: Final = timedelta(seconds=14)  # before the second try; twice as long before each further one
JITTER: Final = 0.2  # of a pause, at most, more or less
LONGEST_PAUSE: Final = timedelta(days=1)  # that the other side may ask for
SEND_LEASE: Final = timedelta(minutes=2)
CLAIM: Final = 10  # deliveries that a worker holds at once
CLAIM_SPREAD: Final = 40  # further ones among which it claims those that nobody else is claiming just now
CLAIM_TRIES: Final = 4  # where others have claimed what was found
PATIENCE: Final = 5.0  # seconds after which a worker lets go of what it has not begun to send
DIGEST_LIMIT: Final = 100  # notifications that a digest tells of; of more it is the newest ones
DIGEST_SEARCH: Final = 1_000  # that wait for a digest and are looked at


def send_some(name: str, limit: int = CLAIM, stop: Callable[[], bool] = lambda: False) -> int:
    """Send what is due by a channel, at most `limit` deliveries, one after the other; return how many were seen to.

    Once `stop` returns true, or it takes longer than `PATIENCE`, the rest is due for anybody again: another worker may
    be free, and what was decided of it gets old. Several threads and processes may do so at once. It must run outside
    of transactions.
    """
    alias = router.db_for_write(Delivery)
    now, begun = timezone.now(), monotonic()
    claimed = _claim(name, alias, now, limit)
    facts = _facts(claimed, alias, now)
    for number, delivery in enumerate(claimed):
        if stop() or (number and monotonic() - begun > PATIENCE):
            _let_go(claimed[number:], alias)
            return number
        _see_to(_Claim(alias, delivery), facts)
    return len(claimed)


def next_due(names: Iterable[str]) -> datetime | None:
    """Return when the next delivery by some channels falls due; None if none waits."""
    rows = Delivery.objects.using(router.db_for_write(Delivery)).filter(due_at__isnull=False)
    # One by one, for of several channels PostgreSQL reads all that waits, and finds the first of one in the index.
    # And not by their minimum, for which MariaDB reads all that waits.
    times = rows.order_by("due_at").values_list("due_at", flat=True)
    return min((due for name in names for due in times.filter(channel=name)[:1] if due is not None), default=None)


def _claim(name: str, alias: str, now: datetime, limit: int) -> list[Delivery]:
    """Claim what is due, but for what another worker is claiming; `due_at` is when it was due."""
    spread = CLAIM_SPREAD if connections[alias].features.has_select_for_update_skip_locked else 0
    for _ in range(CLAIM_TRIES):
        due = Delivery.objects.using(alias).filter(channel=name, due_at__lte=now)
        found = dict(due.order_by("due_at").values_list("pk", "due_at")[: limit + spread])
        claimed = _claim_of(due, list(found), alias, now, limit) if found else []
        for delivery in claimed:
            delivery.due_at = found[delivery.pk]
        if claimed or not found:
            return claimed
    return []


@retried(lambda due, pks, alias, now, limit: alias)
def _claim_of(due: QuerySet[Delivery], pks: Sequence[Any], alias: str, now: datetime, limit: int) -> list[Delivery]:
    mark = uuid4().hex
    with atomic(alias, durable=True):
        pks = lock_free(due, pks, alias, limit)
        due.filter(pk__in=pks).update(state=State.SENDING, claim=mark, due_at=now + SEND_LEASE, reason="")
    return list(Delivery.objects.using(alias).filter(pk__in=pks, claim=mark).order_by("pk"))


def _let_go(claimed: Sequence[Delivery], alias: str) -> None:
    """Let others send what this worker has claimed, in its old place among what is due."""
    mine = Delivery.objects.using(alias).filter(pk__in=[one.pk for one in claimed], claim=claimed[0].claim)
    first = min(one.due_at for one in claimed if one.due_at is not None)
    mine.filter(state=State.SENDING).update(state=State.WAITING, claim="", due_at=first)


def _facts(claimed: Sequence[Delivery], alias: str, now: datetime) -> Facts | None:
    """Return what decides about deliveries; None if that fails for some of them, so that each must be asked alone."""
    try:
        return Facts(claimed, alias, now)
    except (OperationalError, InterfaceError):
        raise
    except Exception:  # noqa: BLE001  # whatever a site's function raises; it is noted where it is asked alone
        return None


def _see_to(claim: _Claim, facts: Facts | None) -> None:
    """Send a delivery, or note why not. What fails before it is sent counts as a try, and holds up no other."""
    delivery = claim.delivery
    work = _send_digest if delivery.notice_id is None else _send_notice
    try:
        work(claim, facts or Facts([delivery], claim.alias, timezone.now()))
    except (OperationalError, InterfaceError):
        raise  # the database is away, which is nobody's fault
    except Exception as error:  # noqa: BLE001  # whatever a site's function, or what somebody has written, raises
        claim.failed(error)


class _Claim:
    """A worker's claim on one delivery. What it notes counts only while nobody else has taken over."""

    def __init__(self, alias: str, delivery: Delivery) -> None:
        self.alias = alias
        self.delivery = delivery
        self.parts: QuerySet[Delivery] | None = None  # what ends with it, in one transaction
        self._begun = False
        self._rows = Delivery.objects.using(alias).filter(pk=delivery.pk, claim=delivery.claim, state=State.SENDING)

    def begin(self) -> bool:
        """Begin a try, and the lease anew, for others were sent before; return whether it may be made."""
        delivery = self.delivery
        if delivery.attempts >= ATTEMPTS:
            self.end(State.FAILED, error="Its worker was killed at each try.")
            return False
        delivery.attempts += 1
        self._begun = True
        return bool(self._rows.update(due_at=timezone.now() + SEND_LEASE, attempts=delivery.attempts))

    def end(self, state: str, **fields: Any) -> bool:
        """Note what became of it, and of its parts."""
        if self.parts is None:
            return bool(end(self._rows, state, **fields))
        return _end_together(self.alias, self._rows, self.parts, state, **fields)

    def postpone(self, until: datetime, **fields: Any) -> None:
        """Look at it again later."""
        self._rows.update(state=State.WAITING, claim="", due_at=until, **fields)

    def join(self, window: datetime) -> None:
        """Let it wait for a digest."""
        one, due = self.delivery, window + DIGEST_GRACE
        with atomic(self.alias):
            if self._rows.update(state=State.WAITING, claim="", window=window, due_at=due):
                row = digest_row(one.recipient_id, one.channel, one.device, window, timezone.now())
                store_digests([row], self.alias)

    def apply(self, verdict: Verdict) -> bool:
        """Do what was decided; return whether it is to be sent."""
        if verdict.window is not None:
            self.join(verdict.window)
        elif verdict.later is not None:
            self.postpone(verdict.later, reason=verdict.reason)
        elif verdict.reason:
            self.end(State.SKIPPED, reason=verdict.reason, **({"rule": verdict.rule} if verdict.rule else {}))
        else:
            return True
        return False

    def failed(self, error: Exception) -> None:
        """Try again later, unless that was the last try. What failed before it was sent was a try all the same."""
        if not self._begun and not isinstance(error, Undeliverable) and not self.begin():
            return
        delivery = self.delivery
        told = storable(f"{type(error).__name__}: {error}")[:ERROR_LENGTH]
        if isinstance(error, Undeliverable):
            known = error.reason in Reason.values
            self.end(State.SKIPPED if known else State.FAILED, reason=error.reason if known else "", error=told)
        elif isinstance(error, TryLater) and not error.counts:
            pause = min(error.after or FIRST_PAUSE, LONGEST_PAUSE)
            self.postpone(timezone.now() + pause, attempts=delivery.attempts - 1)
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
    if delivery.recipient_id is None:
        shared = shared_row(delivery, claim.alias)
        if claim.apply(shared_verdict(shared)) and shared is not None:
            _hand_over(claim, reader(None, None), [shared])
        return
    row = facts.row(delivery)
    if claim.apply(facts.verdict(delivery)) and row is not None:
        _hand_over(claim, facts.reader(delivery), [row])


def _send_digest(claim: _Claim, _facts: Facts) -> None:
    """Send what waits for a digest and is still to be told; what is not says why."""
    delivery = claim.delivery
    rows = Delivery.objects.using(claim.alias).filter(
        recipient=delivery.recipient_id,
        channel=delivery.channel,
        device=delivery.device,
        window=delivery.window,
        notice__isnull=False,
        due_at__isnull=False,
    )
    waiting = list(rows.order_by("-pk")[:DIGEST_SEARCH])
    facts = Facts(waiting, claim.alias, timezone.now())
    verdicts = {one.pk: facts.verdict(one, in_digest=True) for one in waiting}
    refused = {verdict for verdict in verdicts.values() if verdict.reason}
    for verdict in refused:
        pks = [pk for pk, found in verdicts.items() if found == verdict]
        end(rows.filter(pk__in=pks), State.SKIPPED, reason=verdict.reason)
    told = [one for one in waiting if not verdicts[one.pk].reason]
    if not told:
        reasons = {verdict.reason for verdict in refused}
        claim.end(State.SKIPPED, reason=reasons.pop() if len(reasons) == 1 else Reason.SEEN)
        return
    # What is older than all that it has room for ends with it; what is stored from now on does not.
    older = Q(pk__lt=waiting[-1].pk) if len(waiting) == DIGEST_SEARCH else Q()
    claim.parts = rows.filter(Q(pk__in=[one.pk for one in told]) | older)
    if delivery.key.startswith(ASKED) or claim.apply(facts.quiet(delivery)):
        shown = _by_category([row for one in told[:DIGEST_LIMIT] if (row := facts.row(one)) is not None])
        _hand_over(claim, facts.reader(delivery), shown)


def _by_category(rows: Sequence[Notification]) -> list[Notification]:
    """Return rows with those of one category together: the category of the newest one comes first."""
    categories = list(dict.fromkeys(topic_of(row.notice.kind, row.notice.category).category for row in rows))
    return sorted(rows, key=lambda row: categories.index(topic_of(row.notice.kind, row.notice.category).category))


@retried(lambda alias, *args, **fields: alias)
def _end_together(alias: str, row: QuerySet[Delivery], parts: QuerySet[Delivery], state: str, **fields: Any) -> bool:
    """Note what became of a digest and of all that it tells of: a worker that is killed notes both, or neither."""
    with atomic(alias):
        ended = bool(end(row, state, **fields))
        if ended:
            end(parts, state, **{name: value for name, value in fields.items() if name != "address"})
    return ended


def _hand_over(claim: _Claim, reader: Reader, rows: Sequence[Notification]) -> None:
    """Send something to its recipient."""
    delivery = claim.delivery
    try:
        sender = channel(delivery.channel)
        address = str(delivery.device if sender.has_devices else sender.address(reader.user) or "")
        if not address:
            claim.end(State.SKIPPED, reason=sender.no_address)
            return
        reached = storable(sender.noted(address))[:ADDRESS_LENGTH]
        if not claim.begin():
            return
        message = message_of(delivery, sender.reader(reader, address), address, rows)
        # Where devices have no addresses of their own, what takes long is the site's own mail server or gateway.
        whose = tenants.current(), delivery.recipient_id or f"device {delivery.device}"
        turn = sender.slow_receivers.turn(whose, delivery.device) if sender.has_devices else nullcontext()
        with turn:
            sender.send(message)
    except Exception as error:  # noqa: BLE001  # whatever a channel raises
        noted(claim.alias, partial(claim.failed, error))
        return
    noted(claim.alias, partial(claim.end, State.SENT, address=reached))
