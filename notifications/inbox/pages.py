"""The inbox as an HTML page: complete without JavaScript, and enhanced by `<notification-list>` where there is some."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from ..annotations import User
from ..live.http import user_of
from ..models import Notification
from .frames import Item
from .items import items_of
from .reading import page
from .states import STATE_VERBS, mark_all_read, mark_clicked
from .stream import INBOX, State


@never_cache
@csrf_protect
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def inbox(request: HttpRequest) -> HttpResponse:
    """Show a page of the inbox or, on POST, change it and return to where the form was.

    The list takes ``?state=``, ``?category=`` and ``?before=`` (see `inbox.page`). A form sends ``action``: one of
    `STATE_VERBS` with the ``id`` of an item, ``click`` with one whose link is to be followed, or ``read-all`` with the
    cursor ``up_to`` of what the page showed. GET changes nothing.
    """
    try:
        if request.method == "POST":
            return redirect(_change(request) or _return_address(request))
        return render(request, "notifications/inbox.html", _context(request))
    except ValidationError as error:
        raise Http404(" ".join(error.messages)) from error


def _context(request: HttpRequest) -> dict[str, Any]:
    state: Any = request.GET.get("state") or "all"
    category = request.GET.get("category", "")
    before = request.GET.get("before")
    found = page(user_of(request), state, category, before or None)
    return {
        "page": found,
        "state": state,
        "category": category,
        "states": [(name, label, _address(name, category)) for name, label in _labels().items()],
        "newest": _address(state, category) if before else None,
        "older": _address(state, category, found.next) if found.next else None,
    }


def _labels() -> dict[State, str]:
    return {"all": _("All"), "unread": _("Unread"), "archived": _("Archived")}


def _address(state: str, category: str, before: str | None = None) -> str:
    """Return the page's URL with only the parameters that differ from the defaults."""
    values = {"state": "" if state == "all" else state, "category": category, "before": before}
    query = urlencode({name: value for name, value in values.items() if value})
    return reverse("notifications:inbox") + (f"?{query}" if query else "")


def _change(request: HttpRequest) -> str | None:
    """Perform a form's action; return the link's target if the link was followed."""
    action = request.POST.get("action", "")
    if action == "click":
        return _follow(user_of(request), _number(request.POST.get("id", "")))
    if action == "read-all":
        mark_all_read(user_of(request), request.POST.get("up_to"))
    elif action in STATE_VERBS:
        STATE_VERBS[action](user_of(request), [_number(request.POST.get("id", ""))])
    else:
        raise ValidationError(_("Action must be one of read, unread, archive, unarchive, click, read-all."))
    return None


def _follow(user: User, pk: int) -> str:
    """Remember the click, and return where the notification's own link leads."""
    row = Notification.objects.using(INBOX.alias).of(user).items().visible().with_content().filter(pk=pk).first()
    shown = items_of([row])[0] if row is not None else None
    if not isinstance(shown, Item) or not shown.url:
        raise ValidationError(_("Notification not found."))
    mark_clicked(user, [pk])
    return shown.url


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValidationError(_("Notification not found."))
    return int(text)


def _return_address(request: HttpRequest) -> str:
    """Return the form's ``next`` if it leads to this site, else the inbox."""
    address = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure()):
        return address
    return reverse("notifications:inbox")
