"""What ends the access of a user, as sites do it: each is done to a user who has a session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model, login, logout, update_session_auth_hash
from django.http import HttpRequest
from django.test import RequestFactory

from notifications.services import revoke_access
from tests.factories import make_user

User = get_user_model()
Event = Callable[[Any, Any], None]


def request_of(session: Any, user: Any = None) -> HttpRequest:
    """Return a request that comes with the cookie of `session`."""
    request = RequestFactory().get("/")
    request.COOKIES["sessionid"] = session.session_key
    request.session = type(session)(session.session_key)
    if user is not None:
        request.user = user
    return request


def change_password(user: Any, session: Any) -> None:
    user.set_password("another")
    user.save()


def change_own_password(user: Any, session: Any) -> None:
    """Do as Django's `PasswordChangeView` does: the session goes on under another key."""
    request = request_of(session, user)
    user.set_password("another")
    user.save()
    update_session_auth_hash(request, user)
    request.session.save()


def deactivate(user: Any, session: Any) -> None:
    user.is_active = False
    user.save(update_fields=["is_active"])


def delete(user: Any, session: Any) -> None:
    user.delete()


def sign_out(user: Any, session: Any) -> None:
    logout(request_of(session, user))


def sign_in_as_another(user: Any, session: Any) -> None:
    other = make_user(f"another-{user.pk}")
    login(request_of(session), other, "django.contrib.auth.backends.ModelBackend")


def revoke(user: Any, session: Any) -> None:
    revoke_access(user, reason="lost phone")


HINTED: dict[Event, tuple[str, int]] = {
    change_password: ("reauthenticate", 1000),
    change_own_password: ("reauthenticate", 1000),
    deactivate: ("reauthenticate", 1000),
    delete: ("reauthenticate", 1000),
    sign_out: ("signed-out", 4401),
    sign_in_as_another: ("reauthenticate", 1000),
    revoke: ("revoked", 4403),
}


def deactivate_behind(user: Any, session: Any) -> None:
    User._default_manager.filter(pk=user.pk).update(is_active=False)


def change_password_behind(user: Any, session: Any) -> None:
    User._default_manager.filter(pk=user.pk).update(password="another")


def delete_session_behind(user: Any, session: Any) -> None:
    session.get_model_class().objects.filter(session_key=session.session_key).delete()


def expire_session(user: Any, session: Any) -> None:
    session.set_expiry(-1)
    session.save()


def cycle_key(user: Any, session: Any) -> None:
    session.cycle_key()


BEHIND = (deactivate_behind, change_password_behind, delete_session_behind, expire_session, cycle_key)

EVENTS: dict[str, Event] = {event.__name__: event for event in (*HINTED, *BEHIND)}
