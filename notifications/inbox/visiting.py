"""Whoever looks at an object has read what its notifications say."""

from __future__ import annotations

from django.db.models import Model
from django.http import HttpRequest
from django.utils import timezone

from ..annotations import User
from ..kinds.references import identify
from ..models import Notice
from ..twins import twin
from .bulk import Changed, reading
from .rows import rows_of, touch
from .stream import INBOX


def mark_object_read(user: User, about: Model) -> Changed:
    """Mark as read what is unread and about an object.

    One query, and nothing is written, where there is none.

    Args:
        user: Whose notifications.
        about: The instance that `notify` was given as `about`, or that a kind names.

    Returns:
        How many changed, and by which text `undo` reverts just that.

    Raises:
        TypeError: `about` is no instance of a model.
        ValueError: `about` has not been saved yet.
    """
    return read_about(user, *identify(about, "about"))


amark_object_read = twin(mark_object_read)


def read_about(user: User, model: str, key: str) -> Changed:
    """Mark as read what is unread and about the instance of a model, by its label, with a key."""
    now = timezone.now()
    notices = Notice.objects.using(INBOX.alias).filter(about_model=model, about_key=key)
    rows = rows_of(user).items().filter(read_at=None, notice__in=notices.order_by().values("pk"))
    return Changed(touch(user, rows, **reading(now)) if rows.exists() else 0, "read", now)


def is_visit(request: HttpRequest) -> bool:
    """Return whether a signed-in user looks at what a request shows: a browser that prefetches it does not."""
    purpose = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    user = getattr(request, "user", None)
    return user is not None and user.is_authenticated and "prefetch" not in purpose and "prerender" not in purpose
