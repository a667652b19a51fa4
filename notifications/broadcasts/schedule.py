"""The schedule: broadcasts are sent automatically when they are due."""

from __future__ import annotations

import logging

from django.core.exceptions import ValidationError
from django.db import router
from django.utils import timezone
from django.utils.translation import gettext as _

from ..exceptions import BroadcastConflict
from ..live.periodic import AGAIN, periodic
from ..live.statements import NOW, CompiledSelect
from ..live.transactions import atomic
from ..models import Broadcast
from ..models.broadcast import BroadcastState
from ..twins import twin
from .history import remember
from .publishing import move, post, send_out, validate_broadcast

logger = logging.getLogger("notifications")


def publish_due() -> int:
    """Send the scheduled broadcasts that are due, each exactly once even if several processes do so.

    One that can no longer be sent, for example because its audience is gone, becomes a draft again, with the reason
    in `problem`. What a killed process left half sent is completed. The admin history records both, in the author's
    name.

    Returns:
        How many were sent.

    Raises:
        ExceptionGroup: Some failed in a way that nobody foresaw, and stay scheduled; the others were sent.
    """
    sent = 0
    failures: list[Exception] = []
    for broadcast in Broadcast.objects.using(router.db_for_write(Broadcast)).due().order_by("publish_at", "pk"):
        try:
            with atomic(router.db_for_write(Broadcast)):
                _send_due(broadcast)
        except BroadcastConflict:
            continue  # somebody else was faster
        except Exception as error:  # noqa: BLE001  # raised below; it must not hold up the others
            error.add_note(f"This was broadcast {broadcast.pk}, “{broadcast.title}”.")
            failures.append(error)
        else:
            sent += broadcast.state != BroadcastState.DRAFT
    post()
    if failures:
        raise ExceptionGroup("Scheduled broadcasts could not be sent; they will be retried at the next run", failures)
    return sent


@periodic
def publish_in_time() -> float | None:
    """Publish what is due; return the seconds until the next broadcast is."""
    wait = _until(_SCHEDULED)
    if wait is None or wait > 0:
        post()  # a killed process may have left one half sent
        return wait
    try:
        publish_due()
    except Exception:
        logger.exception("Scheduled broadcasts failed; the next turn tries them again.")
        later = _until(_LATER)  # those that are not due yet are still sent on time
        return AGAIN if later is None else min(AGAIN, later)
    return _until(_SCHEDULED)


def _until(first: CompiledSelect) -> float | None:
    for _state, at in first.run([BroadcastState.SCHEDULED], router.db_for_write(Broadcast)):
        return float((at - timezone.now()).total_seconds())
    return None


# CompiledStatement, because every process runs it once a second.
_SCHEDULED = CompiledSelect(lambda: Broadcast.objects.order_by("publish_at"), "state", "publish_at", limit=1)
_LATER = CompiledSelect(
    lambda: Broadcast.objects.filter(publish_at__gt=NOW).order_by("publish_at"), "state", "publish_at", limit=1
)

apublish_due = twin(publish_due)


def _send_due(broadcast: Broadcast) -> None:
    try:
        validate_broadcast(broadcast, due=True)
    except ValidationError as error:
        problem = " ".join(error.messages)[:500]
        logger.warning("Scheduled broadcast %s was not sent: %s", broadcast.pk, problem)
        move(broadcast, (BroadcastState.SCHEDULED,), state=BroadcastState.DRAFT, problem=problem)
        why = _("Could not be sent as scheduled: %(problem)s") % {"problem": problem}
        remember(broadcast, broadcast.author_id, why)
    else:
        send_out(broadcast, (BroadcastState.SCHEDULED,))
        remember(broadcast, broadcast.author_id, _("Sent as scheduled."))
