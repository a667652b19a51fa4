"""Opening: where links in messages lead, on their way to what they are about."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ..annotations import User
from ..inbox.frames import Item
from ..inbox.items import items_of
from ..inbox.outbox import collect
from ..inbox.states import mark_clicked
from ..inbox.stream import INBOX
from ..live.http import user_of
from ..models import Notification
from ..models.inbox import UNPLACED
from ..preferences.channels import channels
from .clicks import note_click
from .links import CAME_BY


@never_cache
@login_required
@require_safe
def open_notice(request: HttpRequest, notice: str) -> HttpResponse:
    """Mark the reader's copy of a notice as read and followed, and go where it leads.

    The address is stored with the notice or made by its kind, and never part of the request. Who has no copy, as
    somebody to whom the message was forwarded, or of one that was withdrawn, gets to the own inbox.

    A link can only be followed by GET. So that another site's page cannot mark something as read by naming this as a
    picture, it is marked only where a person has gone there; a browser that looks ahead marks nothing either.
    """
    user = user_of(request)
    row = _row(user, int(notice))
    shown = items_of([row])[0] if row is not None else None
    if row is None or not isinstance(shown, Item):
        return redirect("notifications:inbox")
    if _is_followed(request):
        mark_clicked(user, [row.pk])
        came_by = request.GET.get(CAME_BY, "")
        if came_by in channels():
            note_click(user, int(notice), came_by)
    return redirect(shown.url or "notifications:inbox")


def _row(user: User, notice: int) -> Notification | None:
    """Return the item that shows a user a notice."""
    rows = Notification.objects.using(INBOX.alias).of(user)
    collect(INBOX, [user.pk])  # of a broadcast nobody has a copy before
    row = rows.filter(notice=notice).with_content().first()
    item = (row.folded_into if row is not None else None) or UNPLACED
    if item > UNPLACED:
        return rows.filter(pk=item).with_content().first()
    return row


def _is_followed(request: HttpRequest) -> bool:
    """Return whether a person goes there (Fetch Metadata, W3C); browsers that do not say so are believed."""
    purpose = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    is_page = request.headers.get("Sec-Fetch-Dest", "document") == "document"
    return request.method == "GET" and is_page and not purpose
