"""The inbox as an HTML page: complete without JavaScript, and enhanced by `<notification-list>` where there is some."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from ..annotations import User
from ..exceptions import CarillonError
from ..live.http import outside_transactions, user_of
from ..models import Notification
from .acting import perform_action
from .bulk import Changed, archive_all, mark_all_read, undo
from .filters import Facets, facets
from .frames import Item
from .items import items_of
from .reading import page, seen_at
from .snoozing import presets, snooze, time_of
from .states import SEEN_VERBS, STATE_VERBS, mark_clicked
from .stream import INBOX, State


@outside_transactions
@never_cache
@csrf_protect
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def inbox(request: HttpRequest) -> HttpResponse:
    """Show a page of the inbox or, on POST, change it and return to where the form was.

    The list takes ``?state=``, ``?category=``, ``?kind=``, ``?q=`` and ``?before=`` (see `inbox.page`). A form sends
    ``action``: one of `STATE_VERBS` with the ``id`` of an item, ``snooze`` with one and ``until``, ``click`` with one
    whose link is to be followed, ``read-all`` or ``archive-all``, or ``undo`` with what the page was told can be
    undone. The cursor ``up_to`` is that of what the page showed: what has come since stays. GET changes nothing. Why
    an action or a snooze is refused is said on the page.
    """
    try:
        if request.method == "POST":
            return HttpResponseRedirect(_change(request))
        return render(request, "notifications/inbox.html", _context(request))
    except _Refused as refused:
        context = {**_context(request), "problem": refused.reason}
        return render(request, "notifications/inbox.html", context, status=refused.status)
    except ValidationError as error:
        raise Http404(" ".join(error.messages)) from error


class _Refused(CarillonError):
    """What a form asks for makes sense, but cannot be done now; a person is told why."""

    def __init__(self, reason: str, status: int) -> None:
        self.reason = reason
        self.status = status


@contextmanager
def _explained() -> Iterator[None]:
    """Have the page say why what is done here is refused."""
    try:
        yield
    except ValidationError as invalid:
        raise _Refused(" ".join(invalid.messages), 400) from invalid
    except PermissionDenied as denied:
        raise _Refused(str(denied), 403) from denied


@dataclass(frozen=True)
class _View:
    """What of the inbox a page shows: the parameters of its address."""

    state: Any = "all"
    category: str = ""
    kind: str = ""
    q: str = ""
    before: str = ""

    @property
    def address(self) -> str:
        """The page's URL with only the parameters that differ from the defaults."""
        values = asdict(self) | {"state": "" if self.state == "all" else self.state}
        query = urlencode({name: value for name, value in values.items() if value})
        return reverse("notifications:inbox") + (f"?{query}" if query else "")

    def to(self, **changes: Any) -> str:
        """Return the URL of the first page of another view."""
        return replace(self, **{"before": "", **changes}).address


def _context(request: HttpRequest) -> dict[str, Any]:
    query = request.GET
    view = _View(query.get("state") or "all", *(query.get(name, "") for name in ("category", "kind", "q", "before")))
    user = user_of(request)
    found = page(user, view.state, view.category, view.before or None, kind=view.kind, search=view.q)
    context = {
        "page": found,
        "rows": [(item, seen_at(found.cursor, item)) for item in found.items],
        "view": view,
        "here": view.address,
        "undo": query.get("undo", ""),
        "snoozes": [(name, label) for name, (label, _time) in presets().items()],
        "states": [(name, label, view.to(state=name)) for name, label in _labels().items()],
        "newest": view.to() if view.before else None,
        "older": replace(view, before=found.next).address if found.next else None,
    }
    return context if view.before else context | _narrowing(view, facets(user, view.state))


def _narrowing(view: _View, numbers: Facets) -> dict[str, Any]:
    """Return how a first page can be narrowed, and how many items “Archive all” means."""
    chosen: list[tuple[Literal["category", "kind"], Any]] = [("category", numbers.categories), ("kind", numbers.kinds)]
    links = [
        (facet.label, _number_of(facet.total, numbers), view.to(**{field: "" if is_chosen else facet.name}), is_chosen)
        for field, known in chosen
        for facet in known
        for is_chosen in [getattr(view, field) == facet.name]
    ]
    return {"links": links, "archivable": _archivable(view, numbers)}


def _archivable(view: _View, numbers: Facets) -> str:
    if view.q or view.state not in ("all", "unread") or (view.category and view.kind):
        return ""
    known = numbers.categories if view.category else numbers.kinds
    name = view.category or view.kind
    total = next((facet.total for facet in known if facet.name == name), 0) if name else numbers.total
    return _number_of(total, numbers) if total else ""


def _number_of(total: int, numbers: Facets) -> str:
    """Write a number, with a plus where only so many of a longer list were counted."""
    return f"{number_format(total, force_grouping=True)}+" if numbers.more else str(total)


def _labels() -> dict[State, str]:
    return {"all": _("All"), "unread": _("Unread"), "snoozed": _("Snoozed"), "archived": _("Archived")}


def _change(request: HttpRequest) -> str:
    """Perform a form's action, and return where to go."""
    user, given = user_of(request), request.POST
    action = given.get("action", "")
    seen: dict[str, Any] = {"up_to": given["up_to"]} if action in SEEN_VERBS and "up_to" in given else {}
    if action == "click":
        return _follow(user, _number(given.get("id", "")), seen)
    changed = 0
    if action in STATE_VERBS:
        changed = STATE_VERBS[action](user, [_number(given.get("id", ""))], **seen)
    elif action == "snooze":
        pk = _number(given.get("id", ""))
        with _explained():
            snooze(user, [pk], time_of(given.get("until")), **seen)
    elif action in ("read-all", "archive-all"):
        narrow: Any = {name: given.get(name, "") for name in ("category", "kind")}
        verb: Callable[..., Changed] = mark_all_read if action == "read-all" else archive_all
        state = {"state": given["state"]} if action == "archive-all" and given.get("state") else {}
        changed = verb(user, given.get("up_to"), **narrow, **state)
    elif action == "do":
        pk = _number(given.get("id", ""))
        with _explained():
            perform_action(user, pk, given.get("name", ""))
    elif action == "undo":
        undo(user, given.get("undo", ""))
    else:
        verbs = ", ".join([*STATE_VERBS, "snooze", "click", "read-all", "archive-all", "undo"])
        raise ValidationError(_("action must be one of %(actions)s.") % {"actions": verbs})
    return return_address(request, changed.undo if "archive" in action and isinstance(changed, Changed) else "")


def _follow(user: User, pk: int, seen: dict[str, Any]) -> str:
    """Remember the click, and return where the notification's own link leads."""
    row = Notification.objects.using(INBOX.alias).of(user).items().visible().with_content().filter(pk=pk).first()
    shown = items_of([row])[0] if row is not None else None
    if not isinstance(shown, Item) or not shown.url:
        raise ValidationError(_("Notification not found."))
    mark_clicked(user, [pk], **seen)
    return shown.url


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValidationError(_("Notification not found."))
    return int(text)


def return_address(request: HttpRequest, undoable: str = "") -> str:
    """Return the form's ``next`` if it leads to this site, else the inbox, with what can be undone there."""
    address = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure()):
        address = reverse("notifications:inbox")
    if not undoable:
        return address
    parts = urlsplit(address)
    return parts._replace(query="&".join(filter(None, [parts.query, urlencode({"undo": undoable})]))).geturl()
