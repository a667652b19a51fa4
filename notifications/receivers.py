"""Receivers of Django's signals: hints that a user's access may have changed, each sent after its commit.

Changes without a signal (rows changed by ``update()``, expired sessions) are found by the rounds of `live.recheck`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete
from django.http import HttpRequest

from .broadcasts.results import STREAM as RESULTS
from .deliveries import devices
from .deliveries.push_views import COOKIE as PUSH_COOKIE
from .live import relay, sessions
from .live.commit import reset_readers_after_deletion
from .live.transactions import after_commit
from .models.stream import entries_deleted
from .models.user_deletion import delete_late_references, lock_deleted

PERMITTED = (RESULTS,)  # types of streams that ask for a permission


def connect() -> None:
    """Connect to every signal that may end a user's access, and to the deletion of users and of what is shown."""
    user = get_user_model()
    user_logged_out.connect(end_session, dispatch_uid="carillon.end_session")
    user_logged_in.connect(end_replaced_session, dispatch_uid="carillon.end_replaced_session")
    user_logged_out.connect(end_pushes, dispatch_uid="carillon.end_pushes")
    user_logged_in.connect(end_pushes_of_others, dispatch_uid="carillon.end_pushes_of_others")
    post_save.connect(look_at_saved, sender=user, dispatch_uid="carillon.look_at_saved")
    pre_delete.connect(lock_deleted, sender=user, dispatch_uid="carillon.lock_deleted")
    post_delete.connect(delete_late_references, sender=user, dispatch_uid="carillon.delete_late_references")
    post_delete.connect(look_at_deleted, sender=user, dispatch_uid="carillon.look_at_deleted")
    for name in ("groups", "user_permissions"):
        if hasattr(user, name):
            through = getattr(user, name).through
            m2m_changed.connect(look_at_permissions, sender=through, dispatch_uid=f"carillon.look_at_{name}")
    granted = Group.permissions.through
    m2m_changed.connect(look_at_group, sender=granted, dispatch_uid="carillon.look_at_group")
    entries_deleted.connect(reset_readers_after_deletion, dispatch_uid="carillon.reset_readers_after_deletion")


def end_session(request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    """End the connections of the session that signs out; those of an earlier key of it are rechecked."""
    if user is None:
        return
    owner = str(user.pk)
    key = getattr(getattr(request, "session", None), "session_key", None)
    if key and sessions.has_keys():
        relay.revoke("signed-out", owner=owner, session=key)
    else:  # which of the user's it is, nothing says: each may come again, and is decided anew
        relay.revoke("reauthenticate", owner=owner)


def end_replaced_session(request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    """End the connections of the session in whose place somebody has signed in with the same browser."""
    cookie = request.COOKIES.get(settings.SESSION_COOKIE_NAME) if request is not None else None
    now = getattr(getattr(request, "session", None), "session_key", None)
    if cookie and cookie != now and sessions.has_keys():
        relay.revoke("reauthenticate", session=cookie)


def end_pushes(request: HttpRequest | None, **kwargs: Any) -> None:
    """Push nothing more to the browser in which somebody signs out."""
    if token := _push_token(request):
        devices.forget_browser(token)


def end_pushes_of_others(request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    """Push nothing more that is somebody else's to the browser in which a user signs in."""
    if token := _push_token(request):
        devices.forget_browser(token, but_of=user)


def _push_token(request: HttpRequest | None) -> str:
    return request.COOKIES.get(PUSH_COOKIE, "") if request is not None else ""


def look_at_saved(instance: Any, created: bool, using: str, **kwargs: Any) -> None:
    """Recheck the connections of a user who was saved, for example with another password or deactivated."""
    fields = kwargs.get("update_fields")
    if not (created or kwargs.get("raw") or (fields is not None and set(fields) <= {"last_login"})):
        _look([instance.pk], using)


def look_at_deleted(instance: Any, using: str, **kwargs: Any) -> None:
    """Recheck the connections of a user who was deleted."""
    _look([instance.pk], using)


def look_at_permissions(
    instance: Any, action: str, reverse: bool, pk_set: set[Any] | None, using: str, **kwargs: Any
) -> None:
    """Recheck the connections of users who lost a group or a permission."""
    if action not in ("post_remove", "post_clear"):
        return
    if not reverse:
        _look([instance.pk], using)
    elif pk_set is None:  # a group or a permission was taken from all who had it
        _look([], using, PERMITTED)
    else:
        _look(pk_set, using)


def look_at_group(action: str, using: str, **kwargs: Any) -> None:
    """Recheck subscribers of streams that need a permission, when a group lost one."""
    if action in ("post_remove", "post_clear"):
        _look([], using, PERMITTED)


def _look(pks: Iterable[Any], using: str, streams: Iterable[str] = ()) -> None:
    owners = [str(pk) for pk in pks]
    after_commit(lambda: relay.recheck(owners, streams), using)
