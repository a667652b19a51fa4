"""Recall notifications."""

from __future__ import annotations

from django.utils import timezone

from ..annotations import User
from ..live.commit import sequence_after_commit
from ..live.transactions import atomic, retried
from ..models import Broadcast, Notice, Notification
from ..models.inbox import SCHEDULED
from ..twins import twin
from .stream import INBOX
from .validation import user_or_none


@retried(lambda *args, **kwargs: INBOX.alias)
def withdraw(notice: Notice, *, by: User | None = None) -> int:
    """Recall a notification from all its recipients: it disappears from every inbox, live; or it is never sent.

    It joins the caller's transaction, and costs a constant number of queries. Withdrawing again does nothing. The
    notice stays in the database until it is pruned, and its dedupe key stays taken.

    Args:
        notice: What `notify` returned.
        by: The user who does it, shown in the admin.

    Returns:
        How many recipients had it.

    Raises:
        TypeError: `by` is not a user.
        ValueError: The notice belongs to a broadcast, which `recall_broadcast` recalls; or `by` has not been saved.
    """
    actor = user_or_none(by, "by")
    if Broadcast.objects.using(INBOX.alias).filter(notice=notice.pk).exists():
        raise ValueError("This notice belongs to a broadcast: use recall_broadcast().")
    now = timezone.now()
    with atomic(INBOX.alias):
        here = Notice.objects.using(INBOX.alias).filter(pk=notice.pk, recalled_at=None)
        if not here.update(recalled_at=now, recalled_by=actor):
            return 0
        copies = Notification.objects.using(INBOX.alias).filter(notice=notice.pk)
        cancelled = copies.filter(folded_into=SCHEDULED).update(snoozed_until=None)
        withdrawn = cancelled + copies.exclude(folded_into=SCHEDULED).touch()
        sequence_after_commit(INBOX, copies.values_list("recipient_id", flat=True))
    notice.recalled_at, notice.recalled_by = now, actor
    return withdrawn


awithdraw = twin(withdraw)
