"""HTTP: what people do with their notifications, by POST."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from ..exceptions import BadRequest
from ..live.http import answer, endpoint, error, fields, user_of
from ..models import Notification
from . import counts as counting
from . import due, progress  # noqa: F401  # `due` is a periodic task of whoever serves these
from .abandoned import KIND
from .acting import perform_action
from .bulk import Changed, archive_all, mark_all_read, undo
from .items import items_of
from .snoozing import time_of
from .states import SEEN_VERBS, STATE_VERBS, mark_seen
from .stream import INBOX

ACTIONS: Mapping[str, Callable[..., int]] = {**STATE_VERBS, **SEEN_VERBS}


@endpoint("POST")
def item_action(request: HttpRequest, pk: str, action: str) -> HttpResponse:
    """Change the state of one item and return it; one of another user is not found.

    ``read``, ``click``, ``archive`` and ``snooze`` take ``up_to``: what has grown since that cursor stays as it is.
    """
    if not _mine(request).filter(pk=pk).exists():
        return error(404, "not-found", _("Notification not found."))
    changed = _perform(request, action, [int(pk)])
    row = _mine(request).with_content().filter(pk=pk).first()
    if row is None:  # it was deleted meanwhile
        return error(404, "not-found", _("Notification not found."))
    return answer({"item": items_of([row])[0], **_undo(changed), **_counts(request)})


@endpoint("POST")
def act(request: HttpRequest, pk: str) -> HttpResponse:
    """Do what an item offers, by the name in ``action``, and return the item; who comes second finds it done."""
    name = _texts(request, "action").get("action", "")
    try:
        done = perform_action(user_of(request), int(pk), name)
    except PermissionDenied as refused:
        return error(403, "denied", str(refused))
    row = _mine(request).with_content().filter(pk=pk).first()
    if row is None:  # it was deleted meanwhile
        return error(404, "not-found", _("Notification not found."))
    return answer({"item": items_of([row])[0], "done": done, **_counts(request)})


@endpoint("POST")
def cancel(request: HttpRequest, pk: str) -> HttpResponse:
    """Ask for the work to be cancelled whose progress an item shows."""
    row = _mine(request).filter(pk=pk, notice__kind=KIND).first()
    if row is None:
        return error(404, "not-found", _("Notification not found."))
    return answer({"cancelled": progress.cancel_progress(user_of(request), row.notice_id)})


@endpoint("POST")
def bulk(request: HttpRequest) -> HttpResponse:
    """Change the state of up to 1,000 items at once: ``action`` and ``ids``; those of other users are ignored.

    ``up_to`` is that of `item_action`.
    """
    values = fields(request)
    action, ids = values.get("action"), values.get("ids")
    if not isinstance(action, str) or action not in ACTIONS:
        raise BadRequest(_("action must be one of %(actions)s.") % {"actions": ", ".join(ACTIONS)})
    if not isinstance(ids, list):
        raise BadRequest(_("ids must be a list of IDs."))
    return _changed(request, _perform(request, action, ids))


def _perform(request: HttpRequest, action: str, ids: list[int]) -> int:
    more: dict[str, Any] = {"until": time_of(fields(request).get("until"))} if action == "snooze" else {}
    if action in SEEN_VERBS and (up_to := _up_to(request)) is not None:
        more["up_to"] = up_to
    return ACTIONS[action](user_of(request), ids, **more)


@endpoint("POST")
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark everything as read that had arrived at the cursor ``up_to``, of a ``category`` and a ``kind`` if given."""
    values = _texts(request, "category", "kind")
    return _changed(request, mark_all_read(user_of(request), _up_to(request), **values))


@endpoint("POST")
def archive_everything(request: HttpRequest) -> HttpResponse:
    """Archive what had arrived at the cursor ``up_to``, of a ``category``, a ``kind`` and a ``state`` if given."""
    values: Any = _texts(request, "category", "kind", "state")
    return _changed(request, archive_all(user_of(request), _up_to(request), **values))


@endpoint("POST")
def undo_change(request: HttpRequest) -> HttpResponse:
    """Revert the change whose answer had this ``undo``."""
    return _changed(request, undo(user_of(request), _texts(request, "undo").get("undo", "")))


@endpoint("POST")
def seen(request: HttpRequest) -> HttpResponse:
    """Mark everything as seen that had arrived at the cursor ``up_to``."""
    return _changed(request, mark_seen(user_of(request), _up_to(request)))


def _mine(request: HttpRequest) -> Any:
    return Notification.objects.using(INBOX.alias).of(request.user).items()


def _counts(request: HttpRequest) -> dict[str, int]:
    numbers = counting.counts([request.user.pk])[request.user.pk]
    return {"unread": numbers.unread, "unseen": numbers.unseen}


def _changed(request: HttpRequest, changed: int) -> HttpResponse:
    """Return how many items changed, the counts, and what reverts it if that can be."""
    return answer({"changed": int(changed), **_undo(changed), **_counts(request)})


def _undo(changed: int) -> dict[str, str]:
    return {"undo": changed.undo} if isinstance(changed, Changed) and changed else {}


def _texts(request: HttpRequest, *names: str) -> dict[str, str]:
    """Return those of some fields that were given."""
    values = {name: value for name, value in fields(request).items() if name in names}
    for name, value in values.items():
        if not isinstance(value, str):
            raise BadRequest(_("%(name)s must be text.") % {"name": name})
    return values


def _up_to(request: HttpRequest) -> str | None:
    value = fields(request).get("up_to")
    if value is not None and not isinstance(value, str):
        raise BadRequest(_("up_to must be a cursor taken from a frame or a page."))
    return value
