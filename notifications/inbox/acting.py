"""Do what a notification offers, once for all who have it."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from ..annotations import User
from ..kinds.rendering import actions_of, kinds_of
from ..live.transactions import atomic, retried
from ..models import Notice
from ..twins import twin
from .permissions import has_permission
from .rows import named, touch_items
from .stream import INBOX


@retried(lambda *args: INBOX.alias)
def perform_action(user: User, id: int, action: str) -> bool:  # as the API and the item call it
    """Do what a notification of a kind offers.

    The kind's handler runs in the transaction that stores the outcome: if it raises, nothing is done, and whoever comes
    second finds the outcome. Where transactions collide it is rolled back and run again, so what leaves the database
    belongs into ``transaction.on_commit``.

    Args:
        user: Who does it; one of the notification's recipients.
        id: The primary key of their notification.
        action: The action's name.

    Returns:
        Whether this call has done it; False if it, or another action of the notice, was done before.

    Raises:
        ValidationError: The user has no such notification, or it has no such action.
        PermissionDenied: The user lacks the permission that the action asks for.
    """
    row = named(user, [id]).visible().with_content().first()
    known = actions_of(row.notice).get(action) if row is not None else None
    made = kinds_of([row.notice]).get(row.notice_id) if row is not None and known is not None else None
    if row is None or known is None or made is None:
        raise ValidationError({"action": _("There is no such action.")})
    if known.permission and not has_permission(user, known.permission):
        raise PermissionDenied(_("You may not do this."))
    outcome = {"action": action, "at": timezone.now().isoformat()}
    with atomic(INBOX.alias):
        open_notices = Notice.objects.using(INBOX.alias).filter(outcome__isnull=True, recalled_at=None)
        if not open_notices.filter(pk=row.notice_id).update(
            outcome=outcome, outcome_by=user.pk
        ):  # and locks it until the commit
            return False
        known.handler(made, user)
        touch_items(row.notice_id)
    return True


aperform_action = twin(perform_action)
